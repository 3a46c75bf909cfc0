"""What sensors beside the camera say of a pose: which way is up, and where the camera is. A check, and an update.

Both are measurements with a known standard deviation, so a pose that comes with its covariance is compared with them by
its Mahalanobis distance, and moved by a step of the Kalman filter (first order, in the pose's left perturbation).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Float64
from ..geometry.motion import by_motion
from ..geometry.rigid import Rigid

Axis = Literal["x", "-x", "y", "-y", "z", "-z"]


@dataclass(frozen=True)
class PriorConfig:
    """What accelerometers and satellites say of poses: those that contradict it are refused, the others drawn to it."""

    gravity_deg: Annotated[float, msgspec.Meta(ge=0, lt=90)] = 0.0
    """degrees; standard deviation, either way, of where the accelerometer on a camera's rig feels up; 0: not used"""
    gnss_m: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """metres; standard deviation of either coordinate of a position by satellite, whose height is left out; 0: off"""
    up: Axis = "z"
    """where up is in the map's coordinates"""
    max_sigmas: Annotated[float, msgspec.Meta(gt=0)] = 3.0
    """standard deviations that pose and sensor may be apart, as unlikely as so many are of one number"""
    upright: bool = False
    """whether photos whose pose is not believed are sampled again by two matches under the felt up (gravity_deg)"""

    @property
    def up_in_world(self) -> Float64[np.ndarray, "3"]:
        """The unit vector that points up in the map's coordinates."""
        return (-1.0 if self.up.startswith("-") else 1.0) * np.eye(3)["xyz".index(self.up[-1])]


@dataclass(frozen=True, eq=False)
class Upright:
    """Which way is up in the axes of a camera, as it was felt, and in those of the world: unit vectors.

    `sigma`: standard deviation of the former, radians, either way.
    """

    in_cam: Float64[np.ndarray, "3"]
    in_world: Float64[np.ndarray, "3"]
    sigma: float


@dataclass(frozen=True, eq=False)
class Measured:
    """What a sensor says, seen from a pose: what its motion should be, in k directions, and the noise of that.

    `residual` = `by_motion` @ (rotation, translation) of the left perturbation that would agree, to first order.
    """

    residual: Float64[np.ndarray, "k"]
    by_motion: Float64[np.ndarray, "k 6"]
    sigma: float


def of_up(
    pose: Rigid, up_in_world: Float64[np.ndarray, "3"], up_in_cam: Float64[np.ndarray, "3"], sigma: float
) -> Measured:
    """Of unit vectors that point up; the residual is the rotation from one to the other about two level axes, rad."""
    seen = pose.rotation @ up_in_world
    axes = np.linalg.svd(seen[None])[2][1:]
    across = np.cross(seen, up_in_cam)
    sine = float(np.linalg.norm(across))
    axis = across / sine if sine > np.finfo(np.float64).eps else axes[0]
    angle = float(np.arctan2(sine, seen @ up_in_cam))
    return Measured(axes @ axis * angle, np.hstack([axes, np.zeros((2, 3))]), sigma)


def of_center(pose: Rigid, center_in_world: Float64[np.ndarray, "3"], num_axes: int, sigma: float) -> Measured:
    """Of the first axes of a camera's centre in the world; the residual is in its unit."""
    by_motion_ = np.hstack([np.zeros((3, 3)), -pose.rotation.T])
    return Measured((center_in_world - pose.center)[:num_axes], by_motion_[:num_axes], sigma)


def sigmas_apart(measured: Measured, covariance: Float64[np.ndarray, "6 6"]) -> float:
    """The Mahalanobis distance of pose and sensor, as many standard deviations of one number as it is unlikely."""
    from scipy.special import chdtrc, erfcinv

    expected = measured.by_motion @ covariance @ measured.by_motion.T + measured.sigma**2 * np.eye(
        len(measured.residual)
    )
    squared = float(measured.residual @ np.linalg.solve(expected, measured.residual))
    tail = float(chdtrc(len(measured.residual), squared))
    return float(sqrt(2) * erfcinv(tail)) if tail > 0 else sqrt(squared)


def drawn(
    pose: Rigid, covariance: Float64[np.ndarray, "6 6"], measured: Measured
) -> tuple[Rigid, Float64[np.ndarray, "6 6"]]:
    """The likeliest pose by what it was and what a sensor says, and its covariance."""
    by_pose = measured.by_motion
    expected = by_pose @ covariance @ by_pose.T + measured.sigma**2 * np.eye(len(by_pose))
    gain = np.linalg.solve(expected, by_pose @ covariance).T
    left = np.eye(6) - gain @ by_pose
    kept = left @ covariance @ left.T + measured.sigma**2 * gain @ gain.T  # Joseph's form stays symmetric
    return by_motion(gain @ measured.residual) @ pose, kept
