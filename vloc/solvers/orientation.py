"""Absolute orientation: the pose of one camera from matches of points that both sides know in 3D.

A keypoint with depth is a point in the camera; its match is one in the world. Lengths between points are the same in
both, so samples of three whose sides disagree are dropped before they are solved (Kabsch 1976; no scale). A match
agrees with a pose where it does in the image and, if its keypoint has depth, in depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from ..array_types import Bool, Float64
from ..data.capture import CALIBRATED
from ..geometry.camera import Camera
from ..geometry.depth import depth_along
from ..geometry.projection import unproject
from ..geometry.rigid import Rigid
from .depth_noise import sigmas_of, unknown_noise
from .depth_pose import Surface
from .hypotheses import FIXES_POSE, Best, agreeing, in_cameras
from .pnp import PnpConfig, PnpResult, intrinsics_prior
from .pnp_refinement import Problem, refined_result
from .pose_refinement import RefinedPose

SAMPLE = 3
"""matches that fix a pose"""
AGREEMENT = 4.0
"""standard deviations that depth may be off, as where points are made from it"""
BLOCK, DRAWN, SOLVED = 4096, 16, 256
"""samples drawn at once, of so many for each that `max_iterations` allows, and solved at most of them: most are
dropped by their lengths alone"""


@dataclass(frozen=True, eq=False)
class DeepMatches:
    """Pixels matched with points of the world, where the keypoints are in the camera (NaN without depth), the noise.

    `tolerance`: metres that the depths of a point and of its keypoint may be apart; NaN without depth.
    """

    points2d: Float64[np.ndarray, "m 2"]
    points: Float64[np.ndarray, "m 3"]
    in_cam: Float64[np.ndarray, "m 3"]
    tolerance: Float64[np.ndarray, "m"]

    @classmethod
    def of(cls, points2d: Float64[np.ndarray, "m 2"], surface: Surface, camera: Camera) -> DeepMatches:
        """With keypoints lifted to their surfaces (NaN: none). How noisy depth is, so few matches do not tell."""
        rays = unproject(camera, points2d)
        depths = depth_along(surface.planes, rays)
        noise = sigmas_of(unknown_noise(depths[np.isfinite(depths)]), depths)
        of_points = np.trace(surface.covariances, axis1=1, axis2=2) / 3
        lifted = np.column_stack([rays, np.ones(len(rays))]) * depths[:, None]
        return cls(points2d, surface.points, lifted, AGREEMENT * np.sqrt(noise**2 + of_points))

    def __len__(self) -> int:
        return len(self.points2d)

    def __getitem__(self, rows: np.ndarray) -> DeepMatches:
        """Some of them, as a mask or rows."""
        return DeepMatches(self.points2d[rows], self.points[rows], self.in_cam[rows], self.tolerance[rows])

    @property
    def has_depth(self) -> Bool[np.ndarray, "m"]:
        """Which keypoints have one."""
        return np.isfinite(self.tolerance)

    def disagree(self, in_cam: Float64[np.ndarray, "h m 3"]) -> Bool[np.ndarray, "h m"]:
        """Which points, as poses have them in the camera, are nearer or further away than their keypoints by depth."""
        return np.asarray(np.abs(in_cam[:, :, 2] - self.in_cam[:, 2]) >= self.tolerance)  # NaN is not


def oriented(
    matches: DeepMatches, camera: Camera, config: PnpConfig, seed: int, focal_source: str = CALIBRATED
) -> PnpResult:
    """The pose that most matches agree with in the image and in depth, refined on their pixels alone.

    `inliers`: which do. Nothing is said of how few are too few. Depth has its say on the refined pose elsewhere.
    """
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    nothing = PnpResult(None, np.zeros(len(matches), bool), reason="no pose agrees with the depth map")
    if matches.has_depth.sum() < FIXES_POSE:
        return nothing
    origin = matches.points.mean(0)
    problem = Problem(matches.points2d, matches.points - origin, camera, config, prior)
    sought, best = _Sought(matches, problem), Best()
    for poses in _sampled(matches, problem, np.random.default_rng(seed)):
        best.offer(poses, sought.agreement(poses).sum(axis=1))
    if not len(best.poses):
        return nothing
    poses = best.moved(problem, sought.agrees)
    return _refined(sought, poses[int(sought.agreement(poses).sum(axis=1).argmax())], origin)


@dataclass(frozen=True, eq=False)
class _Sought:
    """What a pose has to agree with; the problem's points are measured from an origin amid them."""

    matches: DeepMatches
    problem: Problem

    def agreement(self, poses: Rigid) -> Float64[np.ndarray, "h m"]:
        """1 down to 0, as of the image alone; 0 where depth disagrees."""
        in_cam = in_cameras(poses, self.problem.points)
        return agreeing(self.problem, in_cam) * ~self.matches.disagree(in_cam)

    def agrees(self, pose: Rigid) -> Bool[np.ndarray, "m"]:
        """Which matches agree."""
        return self.agreement(Rigid.stack([pose]))[0] > 0


def _refined(sought: _Sought, pose: Rigid, origin: Float64[np.ndarray, "3"]) -> PnpResult:
    """The pose refined on the matches that agree with it; those that agree afterwards are its inliers."""
    problem, used = sought.problem, sought.agrees(pose)
    config = replace(problem.config, min_inliers=FIXES_POSE)
    chosen = replace(problem, points2d=problem.points2d[used], points=problem.points[used], config=config)
    start = RefinedPose(pose, problem.camera, np.zeros(len(problem.prior)))
    found = refined_result(chosen, start, origin)
    if found.cam_from_world is None or found.camera is None or found.by_point is None:
        return replace(found, inliers=used)
    by_point = np.zeros((len(used), *found.by_point.shape[1:]))
    by_point[used] = found.by_point
    turn, move = found.cam_from_world.rotation, found.cam_from_world.translation
    ended = replace(sought, problem=replace(problem, camera=found.camera))
    return replace(found, inliers=ended.agrees(Rigid(turn, move + turn @ origin)), by_point=by_point)


def _sampled(matches: DeepMatches, problem: Problem, rng: np.random.Generator) -> Iterator[Rigid]:
    """The poses of one block of samples after the other, of those whose three sides agree."""
    deep = np.flatnonzero(matches.has_depth)
    for _ in range(ceil(DRAWN * problem.config.max_iterations / BLOCK)):
        rows = rng.choice(deep, (BLOCK, SAMPLE))
        ours, theirs = _sides(matches.in_cam[rows]), _sides(problem.points[rows])
        off = matches.tolerance[rows]
        allowed = np.hypot(off, np.roll(off, -1, axis=1))
        fit = (np.abs(ours - theirs) < allowed) & (theirs > allowed)
        chosen = rows[fit.all(axis=1)][:SOLVED]
        if len(chosen):
            yield poses_of_three(matches.in_cam[chosen], problem.points[chosen])


def _sides(points: Float64[np.ndarray, "h 3 3"]) -> Float64[np.ndarray, "h 3"]:
    """Lengths of a triangle's sides, each from a corner to the next."""
    return np.linalg.norm(points - np.roll(points, -1, axis=1), axis=2)


def poses_of_three(in_cam: Float64[np.ndarray, "h k 3"], in_world: Float64[np.ndarray, "h k 3"]) -> Rigid:
    """`cam_from_world` by the least squared distances of k >= 3 points each (Kabsch 1976; Umeyama 1991, no scale)."""
    ours, theirs = in_cam.mean(axis=1), in_world.mean(axis=1)
    u, _, v = np.linalg.svd(np.einsum("hki,hkj->hij", in_cam - ours[:, None], in_world - theirs[:, None]))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    rotation = u @ v
    return Rigid(rotation, ours - np.einsum("hij,hj->hi", rotation, theirs))
