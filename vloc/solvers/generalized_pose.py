"""The pose of a rig from the 2D-3D matches of all its cameras at one instant: LO-RANSAC, then robust refinement.

What one camera alone does not fix, several do: their rays start from different places and look different ways
(generalised camera: Pless, CVPR 2003; minimal solver of three rays: Lee, Li and Pollefeys, IJRR 2016, in PoseLib).
Intrinsics and `cams_from_rig` are taken as exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Bool, Float64
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .pnp import PnpConfig, ransac_options
from .pnp_refinement import LEAST_LOSS_SCALE_PX
from .pose_covariance import sensitivity
from .pose_refinement import by_points, linearised, reprojection_errors
from .robust_minimum import Linearised, minimum
from .whitening import Whitening

SAMPLE = 3
"""matches of one camera that fix its pose"""
APART_PX = 1e7
"""px between the pictures of two cameras where positions are told apart; larger than any picture"""


@dataclass(frozen=True, eq=False)
class View:
    """What one camera of a rig sees: pixels (first centre at 0.5) matched with points, and where it is mounted.

    `whitening`: what residuals are multiplied by before they are weighed, None where all are alike. `area_px`: px^2 in
    which each match was looked for.
    """

    points2d: Float64[np.ndarray, "m 2"]
    points_in_world: Float64[np.ndarray, "m 3"]
    camera: Camera
    cam_from_rig: Rigid
    whitening: Whitening | None = None
    area_px: float = np.inf

    def errors(self, rig_from_world: Rigid, *, whitened: bool = False) -> Float64[np.ndarray, "m"]:
        """Reprojection errors, px, infinite behind the camera; whitened, those of unsure points count less."""
        matrices = self.whitening.matrices if whitened and self.whitening else None
        pose = self.cam_from_rig @ rig_from_world
        return reprojection_errors(self.points2d, self.points_in_world, self.camera, pose, matrices)

    def moved(self, origin: Float64[np.ndarray, "3"]) -> View:
        """The same with points measured from an origin."""
        return replace(self, points_in_world=self.points_in_world - origin)

    def __getitem__(self, rows: np.ndarray) -> View:
        """Some of the matches, as a mask."""
        whitening = None if self.whitening is None else self.whitening[rows]
        return replace(
            self, points2d=self.points2d[rows], points_in_world=self.points_in_world[rows], whitening=whitening
        )


@dataclass(frozen=True, eq=False)
class RigPose:
    """A pose of a rig, or None with the reason. `inliers`: of every view's matches, those that agree with it.

    `covariance`: of (rotation, translation), the left perturbation of `rig_from_world`, for exact poses of the map.
    `by_point`: its derivative by the point of every match, all views after another, 0 for matches left out.
    """

    rig_from_world: Rigid | None
    inliers: tuple[Bool[np.ndarray, "_"], ...]
    covariance: Float64[np.ndarray, "6 6"] | None = None
    reason: str = ""
    by_point: Float64[np.ndarray, "m 6 3"] | None = None


def generalized_pose(views: Sequence[View], config: PnpConfig, seed: int = 0) -> RigPose:
    """The pose of a rig that most matches of all its cameras agree with, refined on them with a Cauchy loss.

    What each camera alone finds is tried as well: where others are blind, their wrong matches hide it. DataError for
    input that is not finite or of unequal lengths.
    """
    total = sum(len(view.points2d) for view in views)
    if total < config.min_inliers:
        return _none(views, f"{total} matches of {len(views)} cameras, a pose needs {config.min_inliers}")
    origin = np.concatenate([view.points_in_world for view in views]).mean(axis=0)
    near = [view.moved(origin) for view in views]
    found = max(_candidates(near, config, seed), key=lambda pose: _count(near, pose, config.max_error_px))
    return _in_world(refined_rig_pose(near, found, config), origin)


def better_rig_pose(views: Sequence[View], start: Rigid, config: PnpConfig) -> RigPose:
    """A pose that was found before, refined on many more matches, of which, at the end, the better half decides."""
    origin = np.concatenate([view.points_in_world for view in views]).mean(axis=0)
    near = [view.moved(origin) for view in views]
    found = refined_rig_pose(near, Rigid(start.rotation, start.apply(origin[None])[0]), config)
    pose = found.rig_from_world
    if pose is None:
        return found
    errors = [view[rows].errors(pose, whitened=True) for view, rows in zip(near, found.inliers, strict=True)]
    scale = float(np.clip(np.median(np.concatenate(errors)), LEAST_LOSS_SCALE_PX, config.loss_scale_px))
    return _in_world(refined_rig_pose(near, pose, replace(config, loss_scale_px=scale)), origin)


def refined_rig_pose(views: Sequence[View], start: Rigid, config: PnpConfig) -> RigPose:
    """A pose that was found before, refined on the matches that agree with it."""
    used = tuple(view.errors(start) < config.max_error_px for view in views)
    if reason := _few(used, config):
        return RigPose(None, used, reason=reason)
    seen = [view[rows] for view, rows in zip(views, used, strict=True) if rows.any()]
    found = minimum(lambda pose, _: _linearised(seen, pose), start, config.loss_scale_px, (), np.zeros(0))
    inliers = tuple(view.errors(found.pose) < config.max_error_px for view in views)
    positions, none = np.concatenate(_positions(seen)), np.zeros(6)
    at = found.at.residuals, found.at.jacobian
    told = sensitivity(positions, *at, config.loss_scale_px, none, none) if found.is_fixed else None
    if told is None:
        return RigPose(None, inliers, reason="the inliers do not fix a pose (points on a line, or in one place)")
    if reason := _few(inliers, config):
        return RigPose(None, inliers, reason=reason)
    by_point = np.zeros((sum(map(len, used)), 6, 3))
    by_point[np.concatenate(used)] = by_points(told, found.at.jacobian, found.pose)
    return RigPose(found.pose, inliers, told.covariance, "", by_point)


def _candidates(views: Sequence[View], config: PnpConfig, seed: int) -> list[Rigid]:
    """`rig_from_world` by all cameras together, and by each that has matches enough."""
    ransac, bundle = ransac_options(config, seed)
    seeing = [view for view in views if len(view.points2d)]
    alone = [
        view.cam_from_rig.inverse()
        @ poselib.ransac_pose(view.points2d, view.points_in_world, view.camera, ransac, bundle)
        for view in seeing
        if len(view.points2d) >= SAMPLE
    ]
    cams_from_rig = [view.cam_from_rig for view in seeing]
    pixels, points = [view.points2d for view in seeing], [view.points_in_world for view in seeing]
    cameras = [view.camera for view in seeing]
    return [poselib.ransac_rig_pose(pixels, points, cameras, cams_from_rig, ransac, bundle), *alone]


def _count(views: Sequence[View], rig_from_world: Rigid, max_error_px: float) -> int:
    return int(sum((view.errors(rig_from_world) < max_error_px).sum() for view in views))


def _linearised(views: Sequence[View], rig_from_world: Rigid) -> Linearised:
    """The matches of all views by the left perturbation of the rig's pose, which moves the cameras' by the adjoint."""
    parts = []
    for view in views:
        at = linearised(view.points2d, view.points_in_world, view.camera, view.cam_from_rig @ rig_from_world)
        by_rig = np.einsum("acm,cr->arm", at.jacobian, view.cam_from_rig.adjoint)
        part = replace(at, jacobian=by_rig)
        parts.append(part if view.whitening is None else part.whitened(view.whitening.of(part.residuals)))
    residuals, jacobian = (
        np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in ("residuals", "jacobian")
    )
    return Linearised(residuals, jacobian, float(np.mean([part.depth for part in parts])))


def _positions(views: Sequence[View]) -> list[Float64[np.ndarray, "_ 2"]]:
    """Pixels of which those of two cameras are never at one place."""
    return [view.points2d + np.array([number * APART_PX, 0]) for number, view in enumerate(views)]


def _in_world(found: RigPose, origin: Float64[np.ndarray, "3"]) -> RigPose:
    """The result with the origin of the world where it was."""
    pose = found.rig_from_world
    if pose is None:
        return found
    return replace(found, rig_from_world=Rigid(pose.rotation, pose.translation - pose.rotation @ origin))


def _few(inliers: Sequence[np.ndarray], config: PnpConfig) -> str:
    """Why so many agree with no pose; empty where they are enough."""
    count = sum(int(rows.sum()) for rows in inliers)
    return (
        ""
        if count >= config.min_inliers
        else (f"{count} inliers of {len(inliers)} cameras, a pose needs {config.min_inliers}")
    )


def _none(views: Sequence[View], reason: str) -> RigPose:
    return RigPose(None, tuple(np.zeros(len(view.points2d), bool) for view in views), reason=reason)
