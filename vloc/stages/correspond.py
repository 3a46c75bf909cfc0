"""Query -> 2D-3D matches: its keypoints against the keypoints of retrieved map images that show a point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Int32
from ..data.capture import Sensor
from ..data.features import LocalFeatures, Matches
from ..data.map_images import MapImages
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..matching.base import ImageSize, Matcher, PairMatcher
from ..runtime import Runtime
from ..solvers.absolute_pose import absolute_pose
from ..solvers.pnp import PnpConfig
from ..stage import EachStage, Run

PREPARED_MAP_IMAGES = 128
"""map images whose descriptors (about 1 MB for 2,000 keypoints with points) stay in memory"""

Found = tuple[Matches, Int32[np.ndarray, "_"], int]
"""Matches with one map image, the points of its keypoints, and its row"""
Map = Callable[..., Iterable[Any]]
"""`map`, or one that works on several items at a time"""


@dataclass(frozen=True)
class CorrespondConfig:
    """How much of a query is matched before its pose is sure."""

    strongest: Annotated[int, msgspec.Meta(ge=0)] = 1024
    """keypoints of every image that are matched at first; 0: all, with all retrieved images at once"""
    images: Annotated[int, msgspec.Meta(ge=1)] = 5
    """retrieved images that these are matched with at a time, until the pose is sure"""
    sure_inliers: Annotated[int, msgspec.Meta(ge=4)] = 100
    """matches that agree with a pose that is sure"""
    sure_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    """part of the matches that agree with a pose that is sure"""


class MapMatcher:
    """Matches queries against map images, of which it keeps the recently used in memory. Thread safe."""

    def __init__(self, matcher: PairMatcher, shown: MapImages) -> None:
        self._matcher, self._shown = matcher, shown
        self._prepared = lru_cache(PREPARED_MAP_IMAGES)(self._prepare)

    def _prepare(self, image: int, strongest: int | None) -> Any:
        shown = self._shown(image)
        return self._matcher.prepare(shown.features[slice(strongest)], shown.size)

    def __call__(
        self,
        query: LocalFeatures,
        size: ImageSize,
        images: Sequence[int] | np.ndarray,
        strongest: int | None = None,
        map_: Map = map,
    ) -> list[Found]:
        """Matches of a query of that size with the keypoints of map images (rows) that show points.

        Of the strongest of both, or of all.
        """
        prepared = self._matcher.prepare(query[slice(strongest)], size)

        def match(image: int) -> Found:
            return self._matcher.match(prepared, self._prepared(image, strongest)), self._shown(image).points, image

        return list(map_(match, map(int, images)))


def correspond(
    config: CorrespondConfig,
    match: MapMatcher,
    query: LocalFeatures,
    size: ImageSize,
    images: Sequence[int] | np.ndarray,
    is_sure: Callable[[Correspondences], bool],
    map_: Map = map,
) -> Correspondences:
    """2D-3D matches with the points that map images (rows, best first) show: as few as make the pose sure, or all."""
    found: list[Found] = []
    for start in range(0, len(images), config.images) if config.strongest else ():
        found += match(query, size, images[start : start + config.images], config.strongest, map_)
        if is_sure(matches := resolve(found)):
            return matches
    return resolve(match(query, size, images, None, map_))


def sureness(
    config: CorrespondConfig, pnp: PnpConfig, query: LocalFeatures, sensor: Sensor, sparse: SparseMap, seed: int
) -> Callable[[Correspondences], bool]:
    """Says of matches whether so many agree with one pose that further ones would not make it surer."""

    def is_sure(matches: Correspondences) -> bool:
        if len(matches) < config.sure_inliers or sensor.camera is None:
            return False
        pixels = query.keypoints[matches.keypoints].astype(np.float64)
        found = absolute_pose(pixels, sparse.points[matches.points], sensor.camera, pnp, seed, sensor.focal_source)
        return found.cam_from_world is not None and found.num_inliers >= max(
            config.sure_inliers, config.sure_share * len(matches)
        )

    return is_sure


def resolve(found: Sequence[Found]) -> Correspondences:
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
    sensors: Mapping[str, Sensor],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    config: CorrespondConfig,
    pnp: PnpConfig,
    seed: int,
) -> Run[str, Correspondences]:
    match = MapMatcher(matcher.load(runtime), MapImages(features, sparse))

    def run(names: Iterable[str]) -> Iterator[Correspondences]:
        for name in names:
            query, sensor = queries[name], sensors[name]
            is_sure = sureness(config, pnp, query, sensor, sparse, seed)
            yield correspond(config, match, query, sensor.image_size, retrieved[name], is_sure)

    return run


CORRESPOND: EachStage[str, Correspondences] = EachStage("correspond", 2, Correspondences, _start, chunk=8)
