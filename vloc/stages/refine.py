"""A query's pose, refined on matches found near where the map's points project under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Int64
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
from ..solvers.pnp import PnpConfig
from ..solvers.pnp_refinement import refined_absolute_pose, with_map_errors
from ..stage import EachStage, Run


@dataclass(frozen=True)
class RefineConfig:
    """How a pose is refined on further matches; they never count as evidence for it."""

    radius_px: Annotated[float, msgspec.Meta(ge=0)] = 6.0
    """px; keypoints are compared with points that project so near; 0: the pose stays as it was registered"""
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8
    """a match is nearer than this part of how far descriptors of different things usually are from each other"""


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
    if estimate.cam_from_world is None or estimate.camera is None or sensor.camera is None or not config.radius_px:
        return estimate
    keypoints, points = guided_matches(config, estimate.cam_from_world, estimate.camera, features, images, sparse, map_)
    if len(points) < max(estimate.num_inliers, pnp.min_inliers):
        return estimate
    pixels = features.keypoints[keypoints].astype(np.float64)
    found = refined_absolute_pose(
        pixels, sparse.points[points], sensor.camera, pnp, sensor.focal_source, estimate.cam_from_world, estimate.camera
    )
    if found.cam_from_world is None or found.camera is None:
        return estimate
    told = with_map_errors(found, sparse, points)
    return replace(
        estimate,
        cam_from_world=found.cam_from_world,
        covariance=told.pose_covariance,
        num_guided=found.num_inliers,
        camera=found.camera,
        focal_sigma_px=told.focal_sigma * found.camera.focal[0],
    )


def guided_matches(
    config: RefineConfig,
    pose: Rigid,
    camera: Camera,
    features: LocalFeatures,
    images: Sequence[Shown],
    sparse: SparseMap,
    map_: Callable[..., Iterable[Any]] = map,
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """Rows of keypoints and of the map's points that `images` show, matched near where the points project."""
    is_shown = np.zeros(len(sparse.points), bool)
    for image in images:
        is_shown[image.points] = True
    points = np.flatnonzero(is_shown)
    pixels = project(camera, pose.apply(sparse.points[points]))
    margin = config.radius_px
    inside = ((pixels > -margin) & (pixels < np.array([camera.width, camera.height]) + margin)).all(axis=1)
    points, pixels = points[inside], pixels[inside]  # behind the camera, pixels are no numbers
    if not len(points) or not len(features):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    largest = max(images, key=lambda image: len(image.points))
    limit = config.ratio * usual_distance(features, largest.features)
    return most_similar(features, near(features.keypoints, pixels, margin), points, images, limit, map_)


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


REFINE: EachStage[str, PoseEstimate] = EachStage("refine", 2, PoseEstimate, _start, chunk=64)
