"""Where a Cauchy loss of residuals is least in a pose and intrinsics: Gauss-Newton with iterative reweighting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid
from .pose_covariance import Sensitivity, inverse_of, sensitivity, slope

MAX_STEPS = 50
SMALLEST_STEP = 3e-6  # radians, or depths of the scene: micrometres, where noise leaves millimetres
MAX_LOG_FOCAL_STEP = 0.5
"""of one step: a focal length that is far off comes nearer without overshooting"""

Prior = tuple[float, ...]
"""Standard deviations of the free intrinsics, in the order of `Camera.adjusted`: ln(focal length), first distortion
parameter, principal point (x, y) px, ln(fy / fx); the first 1, 2 or all 5 of them, or () where the camera is exact."""


@dataclass(frozen=True, eq=False)
class Linearised:
    """Residuals (measured minus projected), px, the projection's derivative by k parameters, and the mean depth."""

    residuals: Float64[np.ndarray, "2 m"]
    jacobian: Float64[np.ndarray, "2 k m"]
    depth: float

    def whitened(self, whitening: Float64[np.ndarray, "m 2 2"]) -> Linearised:
        """Of residuals that are multiplied by these matrices."""
        (a, b), (c, d) = np.ascontiguousarray(whitening.transpose(1, 2, 0))
        residuals, jacobian = (np.stack([a * x + b * y, c * x + d * y]) for x, y in (self.residuals, self.jacobian))
        return Linearised(residuals, jacobian, self.depth)


@dataclass(frozen=True, eq=False)
class Rest:
    """Matches at a minimum, which tell, when they are asked, what noise does to it."""

    points2d: Float64[np.ndarray, "m 2"]
    at: Linearised
    prior: Prior
    loss_scale_px: float

    @cached_property
    def sensitivity(self) -> Sensitivity | None:
        """With the priors as strong as `_step` has them; None where a direction is free."""
        fixed, at = np.zeros(6), self.at
        strength = prior_strength(at.residuals, len(at.jacobian[0]), self.prior, self.loss_scale_px)
        known = np.append(fixed, strength), np.append(fixed, self.prior)
        return sensitivity(self.points2d, at.residuals, at.jacobian, self.loss_scale_px, *known)


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a pose and intrinsics, which `moved`, came to rest, or where a direction turned out not to be fixed."""

    pose: Rigid
    moved: Float64[np.ndarray, "k"]
    at: Linearised
    is_fixed: bool


def minimum(
    at: Callable[[Rigid, np.ndarray], Linearised], start: Rigid, loss_scale_px: float, prior: Prior, moved: np.ndarray
) -> Minimum:
    """Gauss-Newton with iterative reweighting, in a pose's left perturbation and the intrinsics of the prior."""
    pose = start
    for _ in range(MAX_STEPS):
        here = at(pose, moved)
        step = _step(here.residuals, here.jacobian, moved, prior, loss_scale_px)
        if step is None:
            return Minimum(pose, moved, here, False)
        pose, moved = exp(step[:6]) @ pose, moved + step[6:]
        if max(np.abs(step[:3]).max(), np.abs(step[3:6]).max() / here.depth) < SMALLEST_STEP:
            break
    return Minimum(pose, moved, here, True)


def _step(
    residuals: Float64[np.ndarray, "2 m"],
    jacobian: Float64[np.ndarray, "2 k m"],
    moved: np.ndarray,
    prior: Prior,
    loss_scale_px: float,
) -> np.ndarray | None:
    """The Gauss-Newton step of the reweighted problem; intrinsics that have `moved` are pulled back by their prior.

    A match's curvature is the derivative of psi averaged over directions, w^2, which takes fewer steps near the minimum
    than w, that of a paraboloid above the loss. It is two thirds of w at least: below a half, far off, the loss could
    rise.
    """
    weights, pull = _weights(residuals, loss_scale_px)
    curvature = np.maximum(weights**2, 2 * weights / 3)
    normal = (jacobian[0] * curvature) @ jacobian[0].T + (jacobian[1] * curvature) @ jacobian[1].T
    right = jacobian[0] @ pull[0] + jacobian[1] @ pull[1]
    strength = prior_strength(residuals, len(normal), prior, loss_scale_px)
    normal[6:, 6:] += np.diag(strength)
    right[6:] -= strength * moved
    inverse = inverse_of(normal)
    if inverse is None:
        return None
    step: np.ndarray = inverse @ right
    return step / np.abs(step[6:7] / MAX_LOG_FOCAL_STEP).max(initial=1.0)


def _weights(
    residuals: Float64[np.ndarray, "2 m"], loss_scale_px: float
) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "2 m"]]:
    """The weights of the Cauchy loss, and the weighted residuals."""
    weights = 1 / (1 + (residuals**2).sum(0) / loss_scale_px**2)
    return weights, residuals * weights


def prior_strength(
    residuals: Float64[np.ndarray, "2 m"], num_free: int, prior: Prior, loss_scale_px: float
) -> Float64[np.ndarray, "k"]:
    """What priors add to the normal matrix of the Cauchy loss, px^2: sum(psi^2) / (n - p) / mean(psi') / prior^2."""
    if not prior:
        return np.zeros(0)
    weights, pull = _weights(residuals, loss_scale_px)
    mean, correction = slope(weights, num_free)
    noise = (pull**2).sum() / max(residuals.size - num_free, 1)
    return noise / (mean / correction) / np.square(np.array(prior))


def exp(step: Float64[np.ndarray, "6"]) -> Rigid:
    """A small motion, by the rotation vector and the plain translation (equal to SE(3)'s to first order)."""
    import cv2

    return Rigid(cv2.Rodrigues(step[:3])[0], step[3:])
