"""Query -> 2D-3D matches: its keypoints against the keypoints of retrieved map images that show a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.selection import Correspondences
from ..data.sparse_map import NO_POINT, SparseMap
from ..matching.base import Matcher, PairMatcher
from ..runtime import Runtime
from ..stage import EachStage, Run

PREPARED_MAP_IMAGES = 128
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
        return self._matcher.prepare(features[shown]), points[shown]

    def __call__(self, query: LocalFeatures, images: Sequence[int] | np.ndarray) -> Correspondences:
        """2D-3D matches with the points that those map images (rows) show."""
        prepared, found = self._matcher.prepare(query), []
        for image in map(int, images):
            candidate, points = self._prepared(image)
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
    images = np.repeat(np.array([image for _, _, image in found], np.int32), [len(matches) for matches, _, _ in found])
    rows, votes = _distinct(keypoints.astype(np.int64) << 32 | points, scores)
    rows, votes = _strongest(keypoints, rows, votes)
    by_point = np.argsort(points[rows], kind="stable")
    rows, votes = _strongest(points, rows[by_point], votes[by_point])
    order = np.argsort(keypoints[rows])
    rows, votes = rows[order], votes[order]
    return Correspondences(keypoints[rows], points[rows], votes.astype(np.float32), images[rows])


def _distinct(pairs: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every distinct pair, in their order, the row of its best score and the sum of its scores."""
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(_is_first(pairs[order]))
    return _best(order, starts, scores[order]), np.add.reduceat(scores[order], starts, dtype=np.float64)


def _strongest(column: np.ndarray, rows: np.ndarray, votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every value of a column, whose rows lie together, the row with most votes (of equals the first) and these."""
    starts = np.flatnonzero(_is_first(column[rows]))
    return _best(rows, starts, votes), np.maximum.reduceat(votes, starts)


def _best(rows: np.ndarray, starts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The first row of the largest value in every run; runs begin at `starts`."""
    lengths = np.diff(starts, append=len(rows))
    largest = np.flatnonzero(values == np.repeat(np.maximum.reduceat(values, starts), lengths))
    run = np.searchsorted(starts, largest, side="right")
    return rows[largest[_is_first(run)]]


def _is_first(ordered: np.ndarray) -> np.ndarray:
    """Where a new value begins in an ordered array."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])


def _start(
    matcher: Matcher,
    runtime: Runtime,
    queries: Mapping[str, LocalFeatures],
    retrieved: Mapping[str, np.ndarray],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
) -> Run[str, Correspondences]:
    match = MapMatcher(matcher.load(runtime), features, sparse)

    def run(names: Iterable[str]) -> Iterator[Correspondences]:
        return (match(queries[name], retrieved[name]) for name in names)

    return run


CORRESPOND: EachStage[str, Correspondences] = EachStage("correspond", 1, Correspondences, _start, chunk=8)
