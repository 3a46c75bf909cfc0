"""A query's pose, refined on matches found near where the map's points project under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Float64, Int
from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.features import LocalFeatures
from ..data.map_images import MapImages, Shown
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..runtime import Runtime
from ..solvers.pnp import PnpConfig, PnpResult
from ..solvers.pnp_refinement import Guided, with_map_errors
from ..solvers.projection_noise import projection_sigma
from ..stage import EachStage, Run
from .guide import Found, Guide, in_view

SAMPLE = 256
"""points that say how well a pose tells where points project"""
SURE = 3.0
"""standard deviations that a circle around a projected point has to hold"""
MANY = 100
"""guided matches that alone tell how sure a pose is; of fewer, too many may be there by chance, and agree with it"""


@dataclass(frozen=True)
class RefineConfig:
    """How a pose is refined on further matches, in rounds; they never count as evidence for it."""

    radius_px: Annotated[float, msgspec.Meta(ge=0)] = 6.0
    """px; keypoints are compared with points that project so near; 0: the pose stays as it was registered"""
    near_px: Annotated[float, msgspec.Meta(ge=0)] = 2.5
    """px; the same for two rounds more, the only ones for a pose that tells so well where points are; 0: none"""
    images: Annotated[int, msgspec.Meta(ge=1)] = 16
    """map images whose points are looked for: of those that show points matched before the nearest views"""
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.85
    """a match is nearer than this part of how far descriptors of different things usually are from each other"""
    noise_px: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """px; standard deviation of a keypoint's coordinates, against which the points' own uncertainty is weighed"""

    @property
    def radii_px(self) -> tuple[float, ...]:
        """Of all rounds; none where nothing is refined."""
        return (self.radius_px, *[self.near_px] * (2 * bool(self.near_px))) if self.radius_px else ()


def refine(
    config: RefineConfig,
    pnp: PnpConfig,
    estimate: PoseEstimate,
    sensor: Sensor,
    features: LocalFeatures,
    matched: Int[np.ndarray, "m"],
    shown: Callable[[int], Shown],
    sparse: SparseMap,
    map_: Callable[..., Iterable[Any]] = map,
) -> PoseEstimate:
    """The estimate with its pose refined; as it was where fewer matches are found than agreed with it before.

    `matched`: points (rows) that the photo was matched with; `shown`: gives what a map image (row) shows.
    """
    if estimate.cam_from_world is None or sensor.camera is None or not len(matched):
        return estimate
    guide, best = Guide(features, sparse, shown, config.images, config.ratio, config.noise_px, map_), None
    for radii_px in _rounds(config, estimate, sparse, matched):
        best = best or _in_rounds(radii_px, guide, pnp, estimate, sensor, matched)
    if best is None:
        return estimate
    pose, found = best
    return _with_pose(estimate, with_map_errors(pose, sparse, found.points), found.num_keypoints(pose.inliers))


def _rounds(
    config: RefineConfig, estimate: PoseEstimate, sparse: SparseMap, matched: Int[np.ndarray, "m"]
) -> Iterator[tuple[float, ...]]:
    """The radii, px, of rounds, and of others for where these find too little."""
    radii_px = config.radii_px
    if config.near_px and radii_px and _reach(estimate, sparse, matched) <= config.near_px:
        yield radii_px[1:]
    if radii_px:
        yield radii_px


def _reach(estimate: PoseEstimate, sparse: SparseMap, matched: Int[np.ndarray, "m"]) -> float:
    """How far, px, nine of ten points may project from where they are, by the pose's covariance."""
    pose, camera, covariance = estimate.cam_from_world, estimate.camera, estimate.covariance
    assert pose is not None and camera is not None and covariance is not None  # noqa: S101 - it is localized
    some, _ = in_view(pose, camera, sparse, matched[:: max(len(matched) // SAMPLE, 1)].astype(np.int64), 0.0)
    unsure = projection_sigma(camera, pose, covariance, sparse.points[some])
    return SURE * float(np.quantile(unsure, 0.9)) if len(some) else np.inf


def _in_rounds(
    radii_px: Sequence[float],
    guide: Guide,
    pnp: PnpConfig,
    estimate: PoseEstimate,
    sensor: Sensor,
    matched: Int[np.ndarray, "m"],
) -> tuple[PnpResult, Found] | None:
    """The last of the poses, each on matches within the next radius of the one before, and its matches.

    None where the first finds fewer matches than agreed with the pose before.
    """
    pose, camera = estimate.cam_from_world, estimate.camera
    assert pose is not None and camera is not None and sensor.camera is not None  # noqa: S101 - it is localized
    points, best, known = matched, None, (sensor.camera, pnp, sensor.focal_source)
    for radius_px in radii_px:
        nearer = best[0].nearer() if best else (pose, camera)
        if nearer is None:
            break
        pose, camera = nearer
        found = guide(pose, camera, points, radius_px)
        if found.num_keypoints() < max(estimate.num_inliers, pnp.min_inliers):
            break
        points, pixels = found.points, guide.features.keypoints[found.keypoints].astype(np.float64)
        best = Guided.of(pixels, guide.sparse.points[points], *known, pose, camera, found.whitening), found
    return (best[0].refined(), best[1]) if best else None


def _with_pose(estimate: PoseEstimate, found: PnpResult, num_guided: int) -> PoseEstimate:
    """The estimate with the pose of so many guided matches, which are no evidence."""
    assert found.camera is not None  # noqa: S101 - it is there where a pose is
    return replace(
        estimate,
        cam_from_world=found.cam_from_world,
        covariance=in_part_as_before(found.pose_covariance, estimate.covariance, num_guided),
        num_guided=num_guided,
        camera=found.camera,
        focal_sigma_px=found.focal_sigma * found.camera.focal[0],
    )


def in_part_as_before(
    covariance: Float64[np.ndarray, "6 6"] | None, before: Float64[np.ndarray, "6 6"] | None, num_guided: int
) -> Float64[np.ndarray, "6 6"]:
    """The covariance of a pose by so many guided matches: where they are few, it is in part as unsure as before."""
    assert covariance is not None and before is not None  # noqa: S101 - they are there where a pose is
    return covariance + max(1 - num_guided / MANY, 0.0) * before


def _start(
    config: RefineConfig,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    sensors: Mapping[str, Sensor],
    map_features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    pnp: PnpConfig,
) -> Run[str, PoseEstimate]:
    shown = MapImages(map_features, sparse)

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        for name in names:
            known = sensors[name], features[name], matches[name].points, shown, sparse
            yield refine(config, pnp, estimates[name], *known)

    return run


REFINE: EachStage[str, PoseEstimate] = EachStage("refine", 8, PoseEstimate, _start)
