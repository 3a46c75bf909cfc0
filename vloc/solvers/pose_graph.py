"""Poses of a body from what photos say of some of them and odometry of the steps between: a graph that is a chain.

Least squares by Gauss-Newton. The normal equations of a chain are block-tridiagonal, so messages from both ends
(Gaussian belief propagation, which is exact on a tree: Weiss and Freeman 2001) solve them in linear time and give
every pose's marginal covariance along with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..geometry.motion import by_motion, motion_of
from ..geometry.rigid import Rigid
from .rig_consensus import SMALLEST_SIGMA, Belief

ITERATIONS, SMALLEST_STEP = 20, 1e-10
WEAKEST = 1e-9
"""information on every number of every pose, so that one which nothing connects with is open, and not a failure"""


@dataclass(frozen=True, eq=False)
class PoseChain:
    """What is known of poses in a row.

    `photos`: row -> what photos say of its pose. `steps`: `later_from_earlier`, of each row to the next.
    `information`: inverse covariances of the steps' left perturbations; 0 where a step says nothing.
    """

    photos: Mapping[int, Belief]
    steps: Rigid
    information: Float64[np.ndarray, "s 6 6"]


def optimised(chain: PoseChain, start: Rigid) -> tuple[Rigid, Float64[np.ndarray, "i 6 6"]]:
    """The likeliest poses `rig_from_world` near some, and their marginal covariances."""
    poses, covariances = start, np.zeros((len(start), 6, 6))
    for _ in range(ITERATIONS):
        motions, covariances = _solved(*_normal_equations(chain, poses))
        poses = by_motion(motions) @ poses
        if np.abs(motions).max() < SMALLEST_STEP:
            break
    return poses, covariances


Blocks = tuple[Float64[np.ndarray, "i 6 6"], Float64[np.ndarray, "s 6 6"], Float64[np.ndarray, "i 6"]]
"""of block-tridiagonal equations: the diagonal, what is right of it, and the right hand side"""


def _normal_equations(chain: PoseChain, poses: Rigid) -> Blocks:
    """Of small motions of every pose, in its own axes."""
    diagonal, right = np.tile(WEAKEST * np.eye(6), (len(poses), 1, 1)), np.zeros((len(poses), 6))
    for row, belief in chain.photos.items():
        information = np.linalg.inv(belief.covariance + SMALLEST_SIGMA**2 * np.eye(6))
        diagonal[row] += information
        right[row] -= information @ motion_of(poses[row] @ belief.rig_from_world.inverse())
    made = poses[1:] @ poses[:-1].inverse()
    moved = np.stack([made[i].adjoint for i in range(len(made))]) if len(made) else np.zeros((0, 6, 6))
    weighed = np.swapaxes(moved, 1, 2) @ chain.information
    off = np.einsum("sij,sj->si", chain.information, motion_of(made @ chain.steps.inverse()))
    diagonal[1:] += chain.information
    diagonal[:-1] += weighed @ moved
    right[1:] -= off
    right[:-1] += np.einsum("sji,sj->si", moved, off)
    return diagonal, -weighed, right


def _solved(
    diagonal: Float64[np.ndarray, "i 6 6"], beside: Float64[np.ndarray, "s 6 6"], right: Float64[np.ndarray, "i 6"]
) -> tuple[Float64[np.ndarray, "i 6"], Float64[np.ndarray, "i 6 6"]]:
    """The solution of block-tridiagonal equations and the diagonal blocks of their inverse."""
    before = _messages(diagonal, np.swapaxes(beside, 1, 2), right)
    after = _messages(diagonal[::-1], beside[::-1], right[::-1])
    covariances = np.linalg.inv(diagonal + before[0] + after[0][::-1])
    return np.einsum("iab,ib->ia", covariances, right + before[1] + after[1][::-1]), covariances


def _messages(
    diagonal: Float64[np.ndarray, "i 6 6"], back: Float64[np.ndarray, "s 6 6"], right: Float64[np.ndarray, "i 6"]
) -> tuple[Float64[np.ndarray, "i 6 6"], Float64[np.ndarray, "i 6"]]:
    """What all rows before a row say of it; `back`: the blocks of each row with the one before."""
    information, pull = np.zeros_like(diagonal), np.zeros_like(right)
    for row, block in enumerate(back):
        gain = block @ np.linalg.inv(diagonal[row] + information[row])
        information[row + 1] = -gain @ block.T
        pull[row + 1] = -gain @ (right[row] + pull[row])
    return information, pull
