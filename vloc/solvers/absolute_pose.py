"""The pose of one camera from 2D-3D matches: LO-RANSAC, then robust refinement on the inliers.

Where the intrinsics are not calibrated, focal length, one distortion parameter, principal point and pixel aspect are
found with the pose, drawn to what is known of them.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..data.capture import CALIBRATED
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .focal_pose import pose_and_focal
from .pnp import PnpConfig, PnpResult, intrinsics_prior, ransac_options
from .pnp_refinement import Problem, refined_result
from .pose_refinement import RefinedPose


def absolute_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    seed: int = 0,
    focal_source: str = CALIBRATED,
) -> PnpResult:
    """Camera pose from 2D-3D matches by LO-RANSAC (Lebeda 2012; PoseLib), refined on the inliers with a Cauchy loss.

    `points2d`: px in the distorted image, first pixel centred at (0.5, 0.5). Works in an origin amid the points, so
    world coordinates may be large. `focal_source`: as in `Sensor`; says what is refined beside the pose. DataError for
    input that is not finite or of unequal lengths.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    if len(points2d) < config.min_inliers:
        return _none(len(points2d), f"{len(points2d)} matches, a pose needs {config.min_inliers}")
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    origin = points_in_world.mean(0)
    problem = Problem(points2d, points_in_world - origin, camera, config, prior)
    pose, moved = _ransac(problem, seed), np.zeros(len(prior))
    if prior:
        pose, moved[0] = _better(problem, seed, pose)
    return refined_result(problem, RefinedPose(pose, camera, moved), origin)


def _better(problem: Problem, seed: int, pose: Rigid) -> tuple[Rigid, float]:
    """The pose with more inliers, and ln of its focal length's ratio: the given one, or one with a focal length."""
    config, camera = problem.config, problem.camera
    samples = min(config.min_iterations, config.max_iterations), config.max_iterations
    limits = config.max_error_px, samples, config.success_probability
    found = pose_and_focal(problem.points2d, problem.points, camera, *limits, seed)
    if found is None:
        return pose, 0.0
    counts = [
        (problem.errors(camera.adjusted(log_focal), p) < config.max_error_px).sum()
        for p, log_focal in ((pose, 0.0), found)
    ]
    return found if counts[1] > counts[0] else (pose, 0.0)


def _none(count: int, reason: str) -> PnpResult:
    return PnpResult(None, np.zeros(count, bool), reason=reason)


def _ransac(problem: Problem, seed: int) -> Rigid:
    ransac, bundle = ransac_options(problem.config, seed)
    return poselib.ransac_pose(problem.points2d, problem.points, problem.camera, ransac, bundle)
