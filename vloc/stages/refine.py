"""A query's pose, refined on matches found near where the map's points project under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Float64, Int64
from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.features import LocalFeatures
from ..data.map_images import MapImages, Shown
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.projection import project
from ..geometry.rigid import Rigid
from ..matching.guided import most_similar, near, usual_distance
from ..runtime import Runtime
from ..solvers.pnp import PnpConfig, PnpResult
from ..solvers.pnp_refinement import refined_absolute_pose, with_map_errors
from ..solvers.projection_noise import projection_sigma
from ..solvers.whitening import whitening
from ..stage import EachStage, Run

SAMPLE = 256
"""points that say how well a pose tells where points project"""
SURE = 3.0
"""standard deviations that a circle around a projected point has to hold"""


@dataclass(frozen=True)
class RefineConfig:
    """How a pose is refined on further matches, in one or two rounds; they never count as evidence for it."""

    radius_px: Annotated[float, msgspec.Meta(ge=0)] = 6.0
    """px; keypoints are compared with points that project so near; 0: the pose stays as it was registered"""
    near_px: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """px; the same for the last round, which is the only one for a pose that tells so well where points are; 0: none"""
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.85
    """a match is nearer than this part of how far descriptors of different things usually are from each other"""
    noise_px: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """px; standard deviation of a keypoint's coordinates, against which the points' own uncertainty is weighed"""


def refine(
    config: RefineConfig,
    pnp: PnpConfig,
    estimate: PoseEstimate,
    sensor: Sensor,
    features: LocalFeatures,
    images: Sequence[Shown],
    sparse: SparseMap,
    map_: Callable[..., Iterable[Any]] = map,
) -> PoseEstimate:
    """The estimate with its pose refined; as it was where fewer matches are found than agreed with it before."""
    if estimate.cam_from_world is None or sensor.camera is None or not images or not len(features):
        return estimate
    guide = Guide.by(config, features, images, map_)
    best = None
    for radii_px in _rounds(config, estimate, guide, sparse):
        best = best or _in_rounds(radii_px, config, pnp, estimate, sensor, guide, sparse)
    return _with_pose(estimate, with_map_errors(best[0], sparse, best[1])) if best else estimate


def _rounds(
    config: RefineConfig, estimate: PoseEstimate, guide: Guide, sparse: SparseMap
) -> Iterator[tuple[float, ...]]:
    """The radii, px, of rounds, and of others for where these find too little."""
    if not config.radius_px:
        return
    if config.near_px and _reach(estimate, guide, sparse) <= config.near_px:
        yield (config.near_px,)
    yield (config.radius_px, config.near_px) if config.near_px else (config.radius_px,)


def _reach(estimate: PoseEstimate, guide: Guide, sparse: SparseMap) -> float:
    """How far, px, nine of ten points may project from where they are, by the pose's covariance."""
    pose, camera, covariance = estimate.cam_from_world, estimate.camera, estimate.covariance
    assert pose is not None and camera is not None and covariance is not None  # noqa: S101 - it is localized
    some, _ = _in_view(pose, camera, sparse, guide.points[:: max(len(guide.points) // SAMPLE, 1)], 0.0)
    unsure = projection_sigma(camera, pose, covariance, sparse.points[some])
    return SURE * float(np.quantile(unsure, 0.9)) if len(some) else np.inf


def _in_rounds(
    radii_px: Sequence[float],
    config: RefineConfig,
    pnp: PnpConfig,
    estimate: PoseEstimate,
    sensor: Sensor,
    guide: Guide,
    sparse: SparseMap,
) -> tuple[PnpResult, Int64[np.ndarray, "m"]] | None:
    """The last of the poses, each on matches within the next radius of the one before, and the points of its matches.

    None where the first finds fewer matches than agreed with the pose before.
    """
    pose, camera = estimate.cam_from_world, estimate.camera
    assert pose is not None and camera is not None and sensor.camera is not None  # noqa: S101 - it is localized
    best = None
    for radius_px in radii_px:
        keypoints, points = guide(pose, camera, sparse, radius_px)
        if len(points) < max(estimate.num_inliers, pnp.min_inliers):
            break
        pixels, in_world = guide.features.keypoints[keypoints].astype(np.float64), sparse.points[points]
        weighed = whitening(camera, pose, in_world, sparse.covariances_of(points), config.noise_px)
        known = sensor.camera, pnp, sensor.focal_source
        found = refined_absolute_pose(pixels, in_world, *known, pose, camera, weighed)
        if found.cam_from_world is None or found.camera is None:
            break
        pose, camera, best = found.cam_from_world, found.camera, (found, points)
    return best


@dataclass(frozen=True, eq=False)
class Guide:
    """Looks for matches of a photo with the points that map images show, near where they project."""

    features: LocalFeatures
    images: Sequence[Shown]
    points: Int64[np.ndarray, "p"]
    """rows of the points that the images show"""
    limit: Callable[[], float]
    """gives the distance of descriptors beyond which nothing matches"""
    map_: Callable[..., Iterable[Any]]

    @classmethod
    def by(
        cls,
        config: RefineConfig,
        features: LocalFeatures,
        images: Sequence[Shown],
        map_: Callable[..., Iterable[Any]] = map,
    ) -> Guide:
        """With the limit that the photo's own descriptors set; where `map_` has threads, one of them looks for it."""
        most = max(images, key=lambda image: len(image.points))
        usual = iter(map_(usual_distance, [features], [most.features]))
        points = np.flatnonzero(np.bincount(np.concatenate([image.points for image in images])))
        return cls(features, images, points, cache(lambda: config.ratio * next(usual)), map_)

    def __call__(
        self, pose: Rigid, camera: Camera, sparse: SparseMap, radius_px: float
    ) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
        """Keypoints and points (rows) that match, the points within a radius of the keypoints."""
        in_view, projected = _in_view(pose, camera, sparse, self.points, radius_px)
        candidates = near(self.features.keypoints, projected, radius_px)
        return most_similar(self.features, candidates, in_view, self.images, self.limit(), self.map_)


def _in_view(
    pose: Rigid, camera: Camera, sparse: SparseMap, points: Int64[np.ndarray, "p"], margin_px: float
) -> tuple[Int64[np.ndarray, "v"], Float64[np.ndarray, "v 2"]]:
    """The points (rows) that project into the picture or so near to it, and where."""
    pixels = project(camera, pose.apply(sparse.points[points]))
    limit = np.array([camera.width, camera.height]) + margin_px
    inside = ((pixels > -margin_px) & (pixels < limit)).all(axis=1)  # behind the camera, pixels are no numbers
    return points[inside], pixels[inside]


def _with_pose(estimate: PoseEstimate, found: PnpResult) -> PoseEstimate:
    """The estimate with the pose of guided matches, which are no evidence."""
    assert found.camera is not None  # noqa: S101 - it is there where a pose is
    return replace(
        estimate,
        cam_from_world=found.cam_from_world,
        covariance=found.pose_covariance,
        num_guided=found.num_inliers,
        camera=found.camera,
        focal_sigma_px=found.focal_sigma * found.camera.focal[0],
    )


def _start(
    config: RefineConfig,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    features: Mapping[str, LocalFeatures],
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    map_features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    pnp: PnpConfig,
) -> Run[str, PoseEstimate]:
    shown = MapImages(map_features, sparse)

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        for name in names:
            images = [shown(image) for image in map(int, retrieved[name])]
            yield refine(config, pnp, estimates[name], sensors[name], features[name], images, sparse)

    return run


REFINE: EachStage[str, PoseEstimate] = EachStage("refine", 5, PoseEstimate, _start)
