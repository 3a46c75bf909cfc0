"""A map localizes some of its own images, without themselves and against wrong images: what is agreement worth here?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Int64
from ..data.evidence import Calibration, Evidence, Trials
from ..data.features import LocalFeatures
from ..data.map_images import MapImages
from ..data.selection import Correspondences
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.projection import inside
from ..matching.base import Matcher
from ..retrieval.fusion import Fusion
from ..retrieval.search import Vectors, search
from ..runtime import Runtime
from ..solvers.absolute_pose import absolute_pose
from ..solvers.acceptance import is_elsewhere, median_distance, weigh
from ..solvers.calibration import calibrated
from ..solvers.pnp import PnpConfig
from ..stage import EachStage, OnceStage, Run
from .correspond import MapMatcher, resolve

SEEN_SHARE = 0.05
"""an image shows another's place if more of its points lie in view, walls or not"""


@dataclass(frozen=True)
class CalibrateConfig:
    """How a map learns what true and false agreement look like in it."""

    num_images: Annotated[int, msgspec.Meta(ge=0)] = 16
    """images of the map that are localized without themselves; 0: confidence is what it is elsewhere"""
    num_retrieved: Annotated[int, msgspec.Meta(ge=1)] = 5
    """map images that each is matched with: the most similar, and the most similar of other places"""
    max_keypoints: Annotated[int, msgspec.Meta(ge=1)] = 1024
    """strongest keypoints of every image that are matched, as a query's are at first"""


@dataclass(frozen=True)
class Trial:
    """Localizes images of a map, of which it knows the pose, against chosen other images of it."""

    sparse: SparseMap
    matcher: MapMatcher
    config: PnpConfig
    max_keypoints: int
    seed: int

    def __call__(self, image: int, features: LocalFeatures, against: Sequence[int]) -> tuple[Evidence, bool] | None:
        """The evidence of the pose that is found, and whether that pose is right; None where none is found."""
        camera = self.sparse.camera(image)
        matches = self._without(image, resolve(self.matcher(features, camera.size, against, self.max_keypoints)))
        pixels, points = features.keypoints[matches.keypoints].astype(np.float64), self.sparse.points[matches.points]
        found = absolute_pose(pixels, points, camera, self.config, self.seed)
        if found.cam_from_world is None:
            return None
        evidence = weigh(pixels, points, matches.images, found, self.config.max_error_px, self.seed)
        truth = self.sparse.cam_from_world[image]
        distance = median_distance(points[found.inliers], truth)
        return evidence, not is_elsewhere(found.cam_from_world, truth, distance)

    def _without(self, image: int, matches: Correspondences) -> Correspondences:
        """The matches whose points there would be without the image: two others see them, or one that has depth."""
        sparse = self.sparse
        others = sparse.track_lengths[matches.points] - np.isin(matches.points, sparse.points_of(image))
        has_depth = sparse.depth_information_of(matches.points).any(axis=(1, 2))
        return matches[others >= np.where(has_depth, 1, 2)]


def other_places(sparse: SparseMap, image: int) -> Int64[np.ndarray, "r"]:
    """The images that show nothing of what an image shows: no point in common, and its points out of their view."""
    own = np.unique(sparse.points_of(image))
    own = own[own != NO_POINT]
    return np.array([row for row in range(len(sparse.image_names)) if not _shows(sparse, row, own)], np.int64)


def _shows(sparse: SparseMap, image: int, points: np.ndarray) -> bool:
    if np.isin(points, sparse.points_of(image)).any():
        return True
    camera = sparse.camera(image)
    rows, _ = inside(camera, sparse.cam_from_world[image].apply(sparse.points[points]))
    return len(rows) > SEEN_SHARE * len(points) if len(points) else True


def _start(
    config: CalibrateConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    vectors: Vectors,
    fusion: Fusion,
    matcher: Matcher,
    seed: int,
) -> Run[str, Trials]:
    matching = MapMatcher(matcher.load(runtime), MapImages(features, sparse))
    trial = Trial(sparse, matching, PnpConfig(), config.max_keypoints, seed)

    def attempt(name: str) -> Trials:
        image = sparse.row_of[name]
        own = features[name]
        similar = search([v[[image]] for v in vectors], vectors, fusion, len(sparse.image_names)).of(0)
        against = similar[similar != image], similar[np.isin(similar, other_places(sparse, image))]
        chosen = [rows[: config.num_retrieved].tolist() for rows in against]
        return Trials.joined([_row(trial(image, own, rows), kind) for kind, rows in enumerate(chosen) if rows])

    def run(names: Iterable[str]) -> Iterator[Trials]:
        return map(attempt, names)

    return run


def _row(outcome: tuple[Evidence, bool] | None, kind: int) -> Trials:
    """One attempt, of kind 0 with the most similar images or 1 with wrong ones, as trials."""
    attempts = np.eye(2, dtype=np.int64)[[kind]]
    if outcome is None:
        return replace(Trials.joined([]), num_attempts=attempts)
    evidence, is_right = outcome
    return Trials(evidence.to_row()[None], np.array([is_right]), np.array([bool(kind)]), attempts)


def _calibrate(settings: None, runtime: Runtime, trials: Mapping[str, Trials]) -> Calibration:
    return calibrated(Trials.joined(list(trials.values())))


TRY: EachStage[str, Trials] = EachStage("try", 3, Trials, _start, chunk=8)
CALIBRATE: OnceStage[Calibration] = OnceStage("calibrate", 1, Calibration, _calibrate)
