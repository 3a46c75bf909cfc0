"""Poses of minimal samples: how many matches agree with each, and the best ones moved to where these agree best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..array_types import Bool, Float64
from ..geometry.projection import project
from ..geometry.rigid import Rigid
from .pnp_refinement import Problem
from .pose_refinement import linearised
from .robust_minimum import Linearised, minimum

FIXES_POSE = 4
"""matches from which on a pose is moved"""
KEPT, ROUNDS = 8, 4
"""poses that most matches agree with, which are moved before the best is chosen, and how often inliers are collected"""
LOSS_SHARE = 1 / 3
"""of the largest error of an inlier: scale of the Cauchy loss by which a pose leaves the errors of its sample"""

Agrees = Callable[[Rigid], Bool[np.ndarray, "m"]]
"""which matches agree with a pose"""


def agreeing(problem: Problem, in_cam: Float64[np.ndarray, "h m 3"]) -> Float64[np.ndarray, "h m"]:
    """How far the points of matches, as poses have them in the camera, agree with their pixels: 1 down to 0.

    1 - (error / largest)^2, as in MSAC (Torr and Zisserman 2000); 0 behind the camera.
    """
    pixels = project(problem.camera, in_cam.reshape(-1, 3)).reshape(*in_cam.shape[:2], 2)
    squared = ((pixels - problem.points2d) ** 2).sum(axis=2) / problem.config.max_error_px**2
    return np.where(squared < 1, 1 - squared, 0.0)  # NaN is not less


def in_cameras(poses: Rigid, points: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "h m 3"]:
    """Points in the axes of each of some cameras."""
    return np.einsum("hij,mj->hmi", poses.rotation, points) + poses.translation[:, None]


class Best:
    """The few poses of most support among all that were offered."""

    def __init__(self) -> None:
        self.poses, self.support = Rigid.identity(0), np.zeros(0)

    def offer(self, poses: Rigid, support: Float64[np.ndarray, "h"]) -> None:
        """Keep the best of these and those before; of equal ones the earlier."""
        every = np.append(self.support, support)
        order = np.argsort(-every, kind="stable")[:KEPT]
        rotation = np.concatenate([self.poses.rotation, poses.rotation])[order]
        translation = np.concatenate([self.poses.translation, poses.translation])[order]
        self.poses, self.support = Rigid(rotation, translation), every[order]

    def moved(self, problem: Problem, agrees: Agrees) -> Rigid:
        """Each of them after `moved`."""
        return Rigid.stack([moved(problem, self.poses[row], agrees) for row in range(len(self.poses))])


def moved(problem: Problem, pose: Rigid, agrees: Agrees) -> Rigid:
    """The pose moved, in all its degrees of freedom, to where the matches that agree with it agree best."""
    for _ in range(ROUNDS):
        rows = agrees(pose)
        if rows.sum() < FIXES_POSE:
            break
        pixels, points = problem.points2d[rows], problem.points[rows]

        def at(pose: Rigid, _: np.ndarray, pixels: np.ndarray = pixels, points: np.ndarray = points) -> Linearised:
            return linearised(pixels, points, problem.camera, pose)

        pose = minimum(at, pose, LOSS_SHARE * problem.config.max_error_px, (), np.zeros(0)).pose
    return pose
