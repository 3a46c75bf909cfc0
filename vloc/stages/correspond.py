"""Query -> 2D-3D matches: its keypoints against the keypoints of retrieved map images that show a point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.selection import Correspondences
from ..data.sparse_map import NO_POINT, SparseMap
from ..matching.base import Matcher, PairMatcher
from ..runtime import Runtime
from ..stage import EachStage, Run

PREPARED_MAP_IMAGES = 512
"""map images whose descriptors (about 1 MB for 2,000 keypoints with points) stay in memory"""


class MapMatcher:
    """Matches queries against map images, of which it keeps the recently used in memory. Thread safe."""

    def __init__(self, matcher: PairMatcher, features: Mapping[str, LocalFeatures], sparse: SparseMap) -> None:
        self._matcher, self._features, self._sparse = matcher, features, sparse
        self._prepared = lru_cache(PREPARED_MAP_IMAGES)(self._prepare)

    def _prepare(self, image: int) -> tuple[Any, np.ndarray]:
        """An image's matcher input and point rows, keypoints without a point left out."""
        features, points = self._features[self._sparse.image_names[image]], self._sparse.points_of(image)
        shown = np.flatnonzero(points != NO_POINT)
        kept = LocalFeatures(features.keypoints[shown], features.descriptors[shown], features.scores[shown])
        return self._matcher.prepare(kept), points[shown]

    def __call__(self, query: LocalFeatures, images: Sequence[int]) -> Correspondences:
        """2D-3D matches with the points that those map images (rows) show."""
        prepared, found = self._matcher.prepare(query), []
        for image in images:
            candidate, points = self._prepared(int(image))
            found.append((self._matcher.match(prepared, candidate), points, image))
        return resolve(found)


def resolve(found: Sequence[tuple[Matches, np.ndarray, int]]) -> Correspondences:
    """One point a keypoint and one keypoint a point: the pair that the retrieved images vote for most.

    A vote is a match's similarity; votes of several images for the same pair add up.
    """
    found = [entry for entry in found if len(entry[0])]
    if not found:
        return Correspondences.none()
    keypoints = np.concatenate([matches.indices[:, 0] for matches, _, _ in found]).astype(np.int32)
    points = np.concatenate([points[matches.indices[:, 1]] for matches, points, _ in found])
    scores = np.concatenate([matches.scores for matches, _, _ in found])
    images = np.concatenate([np.full(len(matches), image, np.int32) for matches, _, image in found])
    keypoints, points, votes, best = _add_votes(keypoints, points, scores)
    rows = _strongest(keypoints, votes)
    rows = np.sort(rows[_strongest(points[rows], votes[rows])])
    return Correspondences(keypoints[rows], points[rows], votes[rows], images[best][rows])


def _strongest(groups: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """For every group the row with most votes; of equals the first."""
    order = np.lexsort((-votes, groups))
    _, first = np.unique(groups[order], return_index=True)
    return order[first]


def _add_votes(
    keypoints: np.ndarray, points: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (keypoint, point) pairs with the sum of their scores and the row of the best of them."""
    order = np.lexsort((-scores, points, keypoints))
    keypoints, points, scores = keypoints[order], points[order], scores[order]
    starts = np.flatnonzero(np.r_[True, (keypoints[1:] != keypoints[:-1]) | (points[1:] != points[:-1])])
    return keypoints[starts], points[starts], np.add.reduceat(scores, starts), order[starts]


def _start(
    matcher: Matcher,
    runtime: Runtime,
    queries: Mapping[str, LocalFeatures],
    retrieved: Callable[[str], Sequence[int]],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
) -> Run[str, Correspondences]:
    match = MapMatcher(matcher.load(runtime), features, sparse)

    def run(names: Iterable[str]) -> Iterator[Correspondences]:
        return (match(queries[name], retrieved(name)) for name in names)

    return run


CORRESPOND: EachStage[str, Correspondences] = EachStage("correspond", 1, Correspondences, _start, chunk=8)
