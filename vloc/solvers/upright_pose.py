"""The pose of one camera whose up direction was felt: two 2D-3D matches make a sample instead of three.

With a share w of right matches, one sample in 1 / w^2 is right instead of one in 1 / w^3. What is felt has an error, so
every sample draws its own up within it, and the best poses move in all six degrees of freedom before they are compared:
an accelerometer that is off by as much as it says biases nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log, log1p

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import unproject
from ..geometry.rigid import Rigid
from . import poselib
from .hypotheses import Best, agreeing, in_cameras
from .pnp import PnpConfig, PnpResult, intrinsics_prior
from .pnp_refinement import Problem, refined_result
from .pose_priors import Upright
from .pose_refinement import RefinedPose

SAMPLE = 2
"""matches that fix a pose under a known up"""
BLOCK = 128
"""samples that are drawn, solved and compared at once: bounds memory"""
MOST_RIGHT = 0.99
"""share of right samples beyond which fewer are not enough"""


def upright_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    up: Upright,
    seed: int,
    focal_source: str,
) -> PnpResult:
    """As `absolute_pose`, by samples of two matches under a known up; then refined in the same way, up left free.

    Intrinsics that are not exact are taken as they are while sampling. DataError as there.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    if len(points2d) < config.min_inliers:
        return _none(len(points2d), f"{len(points2d)} matches, a pose needs {config.min_inliers}")
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    origin = points_in_world.mean(0)
    problem = Problem(points2d, points_in_world - origin, camera, config, prior)
    best = _best(problem, up, np.random.default_rng(seed))
    if not len(best.poses):
        return _none(len(points2d), "no two matches have a pose under the felt up")
    poses = best.moved(problem, lambda pose: problem.errors(camera, pose) < config.max_error_px)
    pose = poses[int(_support(problem, poses).argmax())]
    return refined_result(problem, RefinedPose(pose, camera, np.zeros(len(prior))), origin)


def poses_of_two(
    rays: Float64[np.ndarray, "h 2 3"],
    points: Float64[np.ndarray, "h 2 3"],
    up_in_cam: Float64[np.ndarray, "h 3"],
    up_in_world: Float64[np.ndarray, "3"],
) -> Rigid:
    """`cam_from_world` of samples of two matches, none, one or two of each: those with both points before the camera.

    In axes whose third is up, a turn Q keeps heights and horizontal lengths, so d_0 x_0 - d_1 x_1 = Q (X_0 - X_1) is a
    line and a quadric in the two depths (the upright case of Kukelova, Bujnak and Pajdla, ACCV 2010). Rays are x / z.
    """
    level_from_cam, level_from_world = level_axes(up_in_cam), level_axes(up_in_world)
    x, in_level = np.einsum("hij,hkj->hki", level_from_cam, rays), points @ level_from_world.T
    apart = in_level[:, 0] - in_level[:, 1]
    signed = x * np.array([1.0, -1.0])[:, None]  # depths @ signed = d_0 x_0 - d_1 x_1
    sample, depths = _depths(signed, apart)
    seen = np.einsum("sk,ski->si", depths, signed[sample, :, :2])
    turned = _about_third(seen @ [1, 1j] / (apart[sample, :2] @ [1, 1j]))
    moved = depths[:, :1] * x[sample, 0] - np.einsum("sij,sj->si", turned, in_level[sample, 0])
    cam_from_level = level_from_cam[sample].swapaxes(1, 2)
    return Rigid(cam_from_level @ turned @ level_from_world, np.einsum("sij,sj->si", cam_from_level, moved))


def level_axes(up: Float64[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3 3"]:
    """Rotations to axes whose third is `up`, a unit vector."""
    first = np.cross(up, np.eye(3)[np.abs(up).argmin(axis=-1)])
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return np.stack([first, np.cross(up, first), up], axis=-2)


def _depths(signed: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, Float64[np.ndarray, "s 2"]]:
    """Both positive depths of every solution, and the sample (row) that it is of.

    `signed`: level rays of a sample, the second negated; depths @ signed is as high and as long as `apart`.
    """
    heights = signed[:, :, 2]
    with np.errstate(all="ignore"):  # rays that are level, and points in one place, give no numbers, and no pose
        across = heights / np.linalg.norm(heights, axis=1, keepdims=True) ** 2
        foot, along = across * apart[:, 2:], across[:, ::-1] * np.array([-1.0, 1.0])
        start, way = (np.einsum("hk,hki->hi", depths, signed[:, :, :2]) for depths in (foot, along))
        a, b = (way**2).sum(axis=1), (start * way).sum(axis=1)
        root = np.sqrt(b * b - a * ((start**2).sum(axis=1) - (apart[:, :2] ** 2).sum(axis=1)))
        steps = np.stack([(-b - root) / a, (-b + root) / a], axis=1)
    depths = foot[:, None] + steps[:, :, None] * along[:, None]
    sample, solution = np.nonzero((depths > 0).all(axis=2) & np.isfinite(depths).all(axis=2))
    return sample, depths[sample, solution]


def _about_third(turn: np.ndarray) -> Float64[np.ndarray, "s 3 3"]:
    """Rotations about the third axis that turn the first to complex numbers, whose length does not count."""
    unit, rotation = turn / np.abs(turn), np.zeros((len(turn), 3, 3))
    rotation[:, 0, 0] = rotation[:, 1, 1] = unit.real
    rotation[:, 1, 0], rotation[:, 0, 1], rotation[:, 2, 2] = unit.imag, -unit.imag, 1.0
    return rotation


def _none(count: int, reason: str) -> PnpResult:
    return PnpResult(None, np.zeros(count, bool), reason=reason)


def _best(problem: Problem, up: Upright, rng: np.random.Generator) -> Best:
    """The poses that most matches agree with, of as many samples as it takes to have met a right one."""
    config, best = problem.config, Best()
    for number, poses in enumerate(_sampled(problem, up, rng), start=1):
        best.offer(poses, _support(problem, poses))
        right = min((best.support.max(initial=0.0) / len(problem.points)) ** SAMPLE, MOST_RIGHT)
        if right and number * BLOCK > max(log(1 - config.success_probability) / log1p(-right), config.min_iterations):
            break
    return best


def _support(problem: Problem, poses: Rigid) -> Float64[np.ndarray, "h"]:
    return agreeing(problem, in_cameras(poses, problem.points)).sum(axis=1)


def _sampled(problem: Problem, up: Upright, rng: np.random.Generator) -> Iterator[Rigid]:
    """The poses of one block of samples after the other."""
    rays = np.insert(unproject(problem.camera, problem.points2d), 2, 1.0, axis=1)
    usable = np.flatnonzero(np.isfinite(rays).all(axis=1))
    for _ in range(ceil(problem.config.max_iterations / BLOCK) if len(usable) else 0):
        rows = rng.choice(usable, (BLOCK, SAMPLE))
        felt = up.in_cam + up.sigma * rng.normal(size=(BLOCK, 3))
        felt /= np.linalg.norm(felt, axis=1, keepdims=True)
        yield poses_of_two(rays[rows], problem.points[rows], felt, up.in_world)
