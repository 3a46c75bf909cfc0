"""The pose of one camera from 2D-3D matches: PoseLib's LO-RANSAC, then robust refinement on the inliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Bool, Float64
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .pose_refinement import refine_pose, reprojection_errors


@dataclass(frozen=True)
class PnpConfig:
    """When a match agrees with a pose, and when a pose is believed."""

    max_error_px: Annotated[float, msgspec.Meta(gt=0)] = 8.0
    """px; matches that reproject further away are outliers"""
    min_inliers: Annotated[int, msgspec.Meta(ge=4)] = 12
    """matches; with fewer inliers there is no pose"""
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.9999
    """probability; sampling ends when a better pose is less likely than the rest"""
    max_iterations: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """samples at most"""
    min_iterations: Annotated[int, msgspec.Meta(ge=1)] = 100
    """samples at least"""
    loss_scale_px: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """px; scale of the Cauchy loss of the refinement"""


@dataclass(frozen=True, eq=False)
class PnpResult:
    """A pose with its evidence, or None with the reason; `covariance` as in `PoseEstimate`, of exact 3D points."""

    cam_from_world: Rigid | None
    inliers: Bool[np.ndarray, "m"]
    covariance: Float64[np.ndarray, "6 6"] | None = None
    reason: str = ""

    @property
    def num_inliers(self) -> int:
        """How many matches agree with the pose."""
        return int(self.inliers.sum())


def absolute_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    seed: int = 0,
) -> PnpResult:
    """Camera pose from 2D-3D matches by LO-RANSAC (Lebeda 2012; PoseLib), refined on the inliers with a Cauchy loss.

    `points2d`: px in the distorted image, first pixel centred at (0.5, 0.5). Works in an origin amid the points, so
    world coordinates may be large. DataError for input that is not finite or of unequal lengths.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    if len(points2d) < config.min_inliers:
        return _none(len(points2d), f"{len(points2d)} matches, a pose needs {config.min_inliers}")
    origin = points_in_world.mean(0)
    local = points_in_world - origin
    pose = _ransac(points2d, local, camera, config, seed)
    inliers = reprojection_errors(points2d, local, camera, pose) < config.max_error_px
    if inliers.sum() < config.min_inliers:
        return PnpResult(None, inliers, reason=_too_few(inliers, config))
    refined = refine_pose(points2d[inliers], local[inliers], camera, pose, config.loss_scale_px)
    inliers = reprojection_errors(points2d, local, camera, refined.cam_from_world) < config.max_error_px
    if refined.covariance is None:
        return PnpResult(None, inliers, reason="the inliers do not fix a pose (points on a line, or in one place)")
    if inliers.sum() < config.min_inliers:
        return PnpResult(None, inliers, reason=_too_few(inliers, config))
    found = refined.cam_from_world
    world = Rigid(found.rotation, found.translation - found.rotation @ origin)
    return PnpResult(world, inliers, refined.covariance)


def _none(count: int, reason: str) -> PnpResult:
    return PnpResult(None, np.zeros(count, bool), reason=reason)


def _too_few(inliers: np.ndarray, config: PnpConfig) -> str:
    return f"{inliers.sum()} inliers, a pose needs {config.min_inliers}"


def _ransac(points2d: np.ndarray, points: np.ndarray, camera: Camera, config: PnpConfig, seed: int) -> Rigid:
    ransac = {
        "max_reproj_error": config.max_error_px,
        "max_iterations": config.max_iterations,
        "seed": seed,
        "min_iterations": min(config.min_iterations, config.max_iterations),
        "success_prob": config.confidence,
    }
    # A few steps only: our own refinement starts there and goes to the end, in the pixels of any camera.
    bundle = {"loss_type": "CAUCHY", "loss_scale": config.loss_scale_px, "max_iterations": 5}
    return poselib.ransac_pose(points2d, points, camera, ransac, bundle)
