"""A pose and the depth map of its own photo: do they agree in scale, and what does depth add?

Every match has a point of the map and, by the depth map, a surface in the camera that the point should lie on: this is
absolute orientation, of points to planes (Chen and Medioni 1992), with the pose that keypoints gave as its prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid
from .depth_noise import LEAST_RELATIVE, NORMAL_MEDIAN
from .robust_minimum import exp

ROUNDS = 5
LOSS_SCALE = 2.5
"""standard deviations; scale of the Cauchy loss"""


@dataclass(frozen=True, eq=False)
class Surface:
    """Matches with depth: points of the map (world, m), their covariances, and planes n . X = 1 in camera axes, 1/m."""

    points: Float64[np.ndarray, "m 3"]
    covariances: Float64[np.ndarray, "m 3 3"]
    planes: Float64[np.ndarray, "m 3"]

    def __len__(self) -> int:
        return len(self.points)

    def ratios(self, pose: Rigid) -> Float64[np.ndarray, "m"]:
        """How many times as far away as the pose says the depth map has each point, along its ray."""
        beyond = np.einsum("mi,mi->m", self.planes, pose.apply(self.points))
        return 1 / np.where(beyond > 0, beyond, np.nan)

    def linearised(self, pose: Rigid) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "m 7"]]:
        """Metres that points lie before their surfaces, and the derivative by a small motion of the pose (rotation,
        translation: Exp(motion) @ pose) and by the logarithm of the depth map's scale."""
        x = pose.apply(self.points)
        z, cross = x[:, 2:], np.cross(x, self.planes)
        off = z[:, 0] * (1 - np.einsum("mi,mi->m", self.planes, x))
        # n . (w cross x) = w . (x cross n); a larger scale moves surfaces away: d(1 / n . x) = 1 at the surface.
        return off, np.concatenate([-z * cross, -z * self.planes, z], axis=1)


def scale_of(surface: Surface, pose: Rigid) -> float:
    """How many times as far as the pose says the depth map has the photo's points, in the middle; NaN without any."""
    ratios = surface.ratios(pose)
    return float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else float("nan")


def with_depth(
    surface: Surface, pose: Rigid, covariance: Float64[np.ndarray, "6 6"], scale_error: float
) -> tuple[Rigid, Float64[np.ndarray, "6 6"]]:
    """The pose, and its covariance, with what depth adds to both.

    The noise of the depth is that of these matches, in proportion to depth, beside the points' own; its scale may be
    off by `scale_error` (standard deviation, relative), alike all over, which is solved for too. Cauchy loss.
    """
    off, by_motion = surface.linearised(pose)
    prior = np.zeros((7, 7))
    prior[:6, :6], prior[6, 6] = np.linalg.inv(covariance), scale_error**-2
    motion, known = np.zeros(7), prior
    for _ in range(ROUNDS):  # the noise is smaller, once it is seen from the better pose
        sigmas = _sigmas(surface, exp(motion[:6]) @ pose)
        weights = 1 / (sigmas**2 * (1 + ((off + by_motion @ motion) / sigmas / LOSS_SCALE) ** 2))
        known = prior + (by_motion * weights[:, None]).T @ by_motion
        motion = -np.linalg.solve(known, by_motion.T @ (weights * off))
    return exp(motion[:6]) @ pose, np.linalg.inv(known)[:6, :6]


def _sigmas(surface: Surface, pose: Rigid) -> Float64[np.ndarray, "m"]:
    """Standard deviations of depth less predicted depth, m; infinite where the pose has a point behind the camera."""
    ratios, z = surface.ratios(pose), pose.apply(surface.points)[:, 2]
    spread = float(np.nanmedian(np.abs(ratios - np.nanmedian(ratios)))) / NORMAL_MEDIAN
    normals = z[:, None] * (surface.planes @ pose.rotation)
    of_points = np.einsum("mi,mij,mj->m", normals, surface.covariances, normals)
    sigmas: Float64[np.ndarray, "m"] = np.sqrt((max(spread, LEAST_RELATIVE) * z) ** 2 + of_points)
    return np.where(np.isfinite(ratios) & np.isfinite(sigmas), sigmas, np.inf)
