"""A pose in hand, refined on the matches that agree with it; the intrinsics with it where they are not calibrated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Bool, Float64, Int
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .pnp import PnpConfig, PnpResult, intrinsics_prior
from .pose_covariance import covariance_of_map
from .pose_refinement import RefinedPose, refine_pose, reprojection_errors
from .robust_minimum import Prior
from .whitening import Whitening

LEAST_LOSS_SCALE_PX = 0.01
"""px; of matches without errors"""
MAX_ROUNDS = 5
"""of refining intrinsics and collecting the inliers that they have"""


@dataclass(frozen=True, eq=False)
class Problem:
    """2D-3D matches and what is known of their camera.

    `points`: measured from an origin amid them. `prior`: of the intrinsics that move with the pose, as in
    `refine_pose`. `whitening`: what residuals are multiplied by before they are weighed, None where all are alike.
    """

    points2d: Float64[np.ndarray, "m 2"]
    points: Float64[np.ndarray, "m 3"]
    camera: Camera
    config: PnpConfig
    prior: Prior
    whitening: Whitening | None = None

    def errors(self, camera: Camera, pose: Rigid, *, whitened: bool = False) -> Float64[np.ndarray, "m"]:
        """Reprojection errors, px, under a pose and intrinsics; whitened, those of unsure points count less."""
        whitening = self.whitening.matrices if whitened and self.whitening else None
        return reprojection_errors(self.points2d, self.points, camera, pose, whitening)


@dataclass(frozen=True, eq=False)
class Guided:
    """Matches that were found by a pose in hand, far more than it was made of, and by which it gets better.

    `problem`: its points are measured from `origin`, a place in the world. `start`: the pose in hand, to that origin.
    """

    problem: Problem
    start: RefinedPose
    origin: Float64[np.ndarray, "3"]

    @classmethod
    def of(
        cls,
        points2d: Float64[np.ndarray, "m 2"],
        points_in_world: Float64[np.ndarray, "m 3"],
        camera: Camera,
        config: PnpConfig,
        focal_source: str,
        cam_from_world: Rigid,
        found: Camera,
        whitening: Whitening | None = None,
    ) -> Guided:
        """Of pixels and points (m) by `camera`, whose pose `cam_from_world` was found with the intrinsics `found`.

        `focal_source`: what is known of the camera's own intrinsics.
        `whitening`: of the residuals, where some points are less sure than others. DataError for what is not finite.
        """
        poselib.check_points(points2d, 2, len(points2d))
        poselib.check_points(points_in_world, 3, len(points2d))
        prior = intrinsics_prior(config, camera, focal_source)
        camera = camera.generalised() if len(prior) > 1 else camera
        origin = points_in_world.mean(0)
        problem = Problem(points2d, points_in_world - origin, camera, config, prior, whitening)
        pose = Rigid(cam_from_world.rotation, cam_from_world.apply(origin[None])[0])
        return cls(problem, RefinedPose(pose, found, camera.moves_to(found)[: len(prior)]), origin)

    def nearer(self) -> tuple[Rigid, Camera] | None:
        """The pose and intrinsics where the matches that agree have them; None where too few do."""
        refined, _, _ = _solve(self.problem, self.start)
        return None if refined is None else (_in_world(refined.cam_from_world, self.origin), refined.camera)

    def refined(self) -> PnpResult:
        """The same with all that is told of a pose, else as `absolute_pose`.

        The median error under the pose in hand is the scale of the loss where that is smaller: of so many matches, the
        better half may decide.
        """
        config, problem = self.problem.config, self.problem
        errors = problem.errors(self.start.camera, self.start.cam_from_world, whitened=True)
        agree = errors[errors < config.max_error_px]
        if len(agree):
            scale = float(np.clip(np.median(agree), LEAST_LOSS_SCALE_PX, config.loss_scale_px))
            problem = replace(problem, config=replace(config, loss_scale_px=scale))
        return refined_result(problem, self.start, self.origin)


def with_map_errors(found: PnpResult, sparse: SparseMap, points: Int[np.ndarray, "m"]) -> PnpResult:
    """The result with what errors of the map's poses add to its covariance; `points`: the map's rows of all matches."""
    if found.covariance is None or found.by_point is None:
        return found
    used = np.flatnonzero(found.by_point.any((1, 2)))
    added = covariance_of_map(sparse, points[used].astype(np.int32), found.by_point[used])
    return replace(found, covariance=found.covariance + added)


def refined_result(problem: Problem, start: RefinedPose, origin: Float64[np.ndarray, "3"]) -> PnpResult:
    """The start refined on the matches that agree with it; points are measured from the `origin` of the world."""
    refined, used, inliers = _solve(problem, start)
    if reason := _refusal(refined, inliers, problem.config):
        return PnpResult(None, inliers, reason=reason)
    assert refined is not None  # noqa: S101 - refused otherwise
    of_used, world = refined.by_point, _in_world(refined.cam_from_world, origin)
    assert of_used is not None  # noqa: S101 - refused otherwise
    by_point = np.zeros((len(inliers), *of_used.shape[1:]))
    by_point[used] = of_used
    return PnpResult(world, inliers, refined.covariance, "", refined.camera, by_point)


def _solve(
    problem: Problem, start: RefinedPose
) -> tuple[RefinedPose | None, Bool[np.ndarray, "m"], Bool[np.ndarray, "m"]]:
    """The refined pose, None where too few matches agree to refine one, the matches used for it, those that agree."""
    config, prior, pose, moved = problem.config, problem.prior, start.cam_from_world, start.moved
    inliers = problem.errors(problem.camera.adjusted(*moved), pose) < config.max_error_px
    refined, before = None, inliers
    for _ in range(MAX_ROUNDS if prior else 1):
        if inliers.sum() < config.min_inliers:
            break
        before = inliers
        pixels, points = problem.points2d[before], problem.points[before]
        whitening = None if problem.whitening is None else problem.whitening[before]
        refined = refine_pose(pixels, points, problem.camera, pose, config.loss_scale_px, prior, moved, whitening)
        pose, moved = refined.cam_from_world, refined.moved
        inliers = problem.errors(refined.camera, pose) < config.max_error_px
        if refined.rest is None or np.array_equal(before, inliers):
            break
    return refined, before, inliers


def _in_world(pose: Rigid, origin: Float64[np.ndarray, "3"]) -> Rigid:
    """A pose in whose world points are measured from an `origin`, with the origin of the world where it was."""
    return Rigid(pose.rotation, pose.translation - pose.rotation @ origin)


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
