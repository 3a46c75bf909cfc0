"""Query -> its pose by a map of its own: points that its retrieved images show, triangulated from their known poses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Int64
from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.evidence import Calibration
from ..data.features import LocalFeatures, Matches
from ..data.map_images import MapImages
from ..data.pairs import Pair
from ..data.quality import ImageQuality
from ..data.sparse_map import SparseMap
from ..matching.base import Matcher, PairMatcher
from ..runtime import Runtime
from ..solvers.pnp import PnpConfig
from ..solvers.posed_images import PosedImages
from ..solvers.track_points import TriangulationConfig
from ..solvers.triangulation import triangulate
from ..stage import EachStage, Run
from .correspond import CorrespondConfig, MapMatcher, correspond, sureness
from .quantise import PairsOf
from .refine import RefineConfig, refine
from .register import register
from .rows import by_rows


@dataclass(frozen=True)
class LocalSfmConfig:
    """Of what a query's own small map is made."""

    num_images: Annotated[int, msgspec.Meta(ge=2)] = 10
    """retrieved images that are triangulated and matched with, the first ones; all pairs of them are matched"""


@dataclass(frozen=True)
class Steps:
    """The settings of everything that is done for one query, from its small map to its refined pose."""

    triangulate: TriangulationConfig
    match: Matcher
    correspond: CorrespondConfig
    register: PnpConfig
    refine: RefineConfig
    seed: int


def pairs_among(names: Sequence[str], rows: Int64[np.ndarray, "k"]) -> list[Pair]:
    """All pairs of some images (rows), each in the order of the rows."""
    return [(names[first], names[second]) for first, second in combinations(sorted(rows.tolist()), 2)]


def local_map(
    sparse: SparseMap,
    rows: Sequence[int],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
    config: TriangulationConfig,
) -> SparseMap:
    """The points of some images (rows, in their order) of a map of which nothing but poses and cameras is used."""
    names = [sparse.image_names[row] for row in rows]
    images = PosedImages(names, sparse.cameras, sparse.camera_of_image[list(rows)], sparse.cam_from_world[list(rows)])
    return triangulate(images, [features[name].keypoints for name in names], by_rows(names, matches), config)


def place(
    steps: Steps,
    matcher: PairMatcher,
    name: str,
    sensor: Sensor,
    quality: ImageQuality | None,
    features: LocalFeatures,
    local: SparseMap,
    ranked: Sequence[int],
    map_features: Mapping[str, LocalFeatures],
    calibration: Calibration,
) -> PoseEstimate:
    """The pose of a query by its small map, as by any; `ranked`: rows of its images, the most similar first."""
    shown = MapImages(map_features, local)
    is_sure = sureness(steps.correspond, steps.register, features, sensor, local, steps.seed)
    matches = correspond(steps.correspond, MapMatcher(matcher, shown), features, sensor.image_size, ranked, is_sure)
    estimate = register(steps.register, name, sensor, quality, features, matches, local, calibration, steps.seed)
    return refine(steps.refine, steps.register, estimate, sensor, features, matches.points, shown, local)


def _start(
    steps: Steps,
    runtime: Runtime,
    queries: Mapping[str, LocalFeatures],
    nearest: Mapping[str, np.ndarray],
    matches: PairsOf[Matches],
    sensors: Mapping[str, Sensor],
    qualities: Mapping[str, ImageQuality | None],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    calibration: Calibration,
) -> Run[str, PoseEstimate]:
    matcher = steps.match.load(runtime)

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        for name in names:
            rows, ranked = np.unique(nearest[name], return_inverse=True)
            local = local_map(sparse, rows.tolist(), features, dict(matches[name]), steps.triangulate)
            known = sensors[name], qualities[name], queries[name], local, ranked.tolist()
            yield place(steps, matcher, name, *known, features, calibration)

    return run


LOCAL_SFM: EachStage[str, PoseEstimate] = EachStage("local-sfm", 4, PoseEstimate, _start, chunk=8)
