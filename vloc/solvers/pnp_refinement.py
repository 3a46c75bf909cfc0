"""A pose in hand, refined on the matches that agree with it; the intrinsics with it where they are not calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..array_types import Bool, Float64, Int
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .pnp import PnpConfig, PnpResult, intrinsics_prior
from .pose_covariance import covariance_of_map
from .pose_refinement import Prior, RefinedPose, refine_pose, reprojection_errors

LEAST_LOSS_SCALE_PX = 0.01
"""px; of matches without errors"""
MAX_ROUNDS = 5
"""of refining intrinsics and collecting the inliers that they have"""


def refined_absolute_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    focal_source: str,
    cam_from_world: Rigid,
    found: Camera,
) -> PnpResult:
    """A pose that was found before, with the intrinsics `found`, refined on many more matches; else as `absolute_pose`.

    Once more, at the end, with the median error as the scale of the loss where that is smaller: of so many matches, the
    better half may decide.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    origin = points_in_world.mean(0)
    local = points_in_world - origin
    pose = Rigid(cam_from_world.rotation, cam_from_world.apply(origin[None])[0])
    start = RefinedPose(pose, found, camera.moves_to(found)[: len(prior)])
    refined, _, inliers = _solve(points2d, local, camera, config, prior, start)
    if refined is not None:
        errors = reprojection_errors(points2d, local, refined.camera, refined.cam_from_world)[inliers]
        scale = np.clip(np.median(errors), LEAST_LOSS_SCALE_PX, config.loss_scale_px) if len(errors) else 1
        config = replace(config, loss_scale_px=float(scale))
    return refined_result(points2d, local, camera, config, prior, refined or start, origin)


def with_map_errors(found: PnpResult, sparse: SparseMap, points: Int[np.ndarray, "m"]) -> PnpResult:
    """The result with what errors of the map's poses add to its covariance; `points`: the map's rows of all matches."""
    if found.covariance is None or found.by_point is None:
        return found
    used = np.flatnonzero(found.by_point.any((1, 2)))
    added = covariance_of_map(sparse, points[used].astype(np.int32), found.by_point[used])
    return replace(found, covariance=found.covariance + added)


def refined_result(
    points2d: np.ndarray,
    points: np.ndarray,
    camera: Camera,
    config: PnpConfig,
    prior: Prior,
    start: RefinedPose,
    origin: Float64[np.ndarray, 3],
) -> PnpResult:
    """The start refined on the matches that agree with it; `points` are measured from the `origin` of the world."""
    refined, used, inliers = _solve(points2d, points, camera, config, prior, start)
    if reason := _refusal(refined, inliers, config):
        return PnpResult(None, inliers, reason=reason)
    assert refined is not None and refined.by_point is not None  # noqa: S101 - refused otherwise
    by_point = np.zeros((len(points2d), *refined.by_point.shape[1:]))
    by_point[used] = refined.by_point
    found = refined.cam_from_world
    world = Rigid(found.rotation, found.translation - found.rotation @ origin)
    return PnpResult(world, inliers, refined.covariance, "", refined.camera, by_point)


def _solve(
    points2d: np.ndarray, points: np.ndarray, camera: Camera, config: PnpConfig, prior: Prior, start: RefinedPose
) -> tuple[RefinedPose | None, Bool[np.ndarray, "m"], Bool[np.ndarray, "m"]]:
    """The refined pose, None where too few matches agree to refine one, the matches used for it, those that agree."""
    pose, moved = start.cam_from_world, start.moved
    inliers = reprojection_errors(points2d, points, camera.adjusted(*moved), pose) < config.max_error_px
    refined, before = None, inliers
    for _ in range(MAX_ROUNDS if prior else 1):
        if inliers.sum() < config.min_inliers:
            break
        before, loss = inliers, config.loss_scale_px
        refined = refine_pose(points2d[before], points[before], camera, pose, loss, prior, moved)
        pose, moved = refined.cam_from_world, refined.moved
        inliers = reprojection_errors(points2d, points, refined.camera, pose) < config.max_error_px
        if refined.covariance is None or np.array_equal(before, inliers):
            break
    return refined, before, inliers


def _refusal(refined: RefinedPose | None, inliers: np.ndarray, config: PnpConfig) -> str:
    """Why there is no pose; empty where there is one."""
    if refined is not None and refined.covariance is None:
        return "the inliers do not fix a pose (points on a line, or in one place)"
    if refined is None or inliers.sum() < config.min_inliers:
        return f"{inliers.sum()} inliers, a pose needs {config.min_inliers}"
    if refined.focal_sigma > config.max_focal_error:
        return (
            f"the focal length, which is not known, comes out as {refined.camera.focal[0]:.0f} px to "
            f"{refined.focal_sigma:.0%} only, expected {config.max_focal_error:.0%} (a plane seen head-on, or a narrow "
            "part of the view, does not tell it from the distance): give the intrinsics"
        )
    return ""
