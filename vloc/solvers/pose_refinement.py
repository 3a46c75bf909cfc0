"""A camera pose refined on 2D-3D matches by robust least squares in the distorted image, with its covariance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import distortion_derivative, distortion_jacobian, focal_derivative, project
from ..geometry.rigid import Rigid
from .pose_covariance import Sensitivity, inverse_of, sensitivity, slope

MAX_STEPS = 50
SMALLEST_STEP = 1e-6  # radians, or depths of the scene: micrometres, where noise leaves millimetres
MAX_LOG_FOCAL_STEP = 0.5
"""of one step: a focal length that is far off comes nearer without overshooting"""

Prior = tuple[float, ...]
"""Standard deviations of the free intrinsics, in the order of `Camera.adjusted`: ln(focal length), first distortion
parameter, principal point (x, y) px, ln(fy / fx); the first 1, 2 or all 5 of them, or () where the camera is exact."""


@dataclass(frozen=True, eq=False)
class RefinedPose:
    """A pose and intrinsics, whose free ones `moved` so far from where their prior has them.

    `rest`: of a minimum; None where a direction is free, and of a start.
    """

    cam_from_world: Rigid
    camera: Camera
    moved: Float64[np.ndarray, "k"]
    rest: Rest | None = None

    @property
    def covariance(self) -> Float64[np.ndarray, "c c"] | None:
        """Of (rotation, translation, free intrinsics), the left perturbation, for exact poses of the map."""
        told = self.rest and self.rest.sensitivity
        return told.covariance if told else None

    @property
    def by_point(self) -> Float64[np.ndarray, "m c 3"] | None:
        """The derivative of the same by every point in the world."""
        told = self.rest and self.rest.sensitivity
        return by_points(told, self.rest.at.jacobian, self.cam_from_world) if self.rest and told else None

    @property
    def focal_sigma(self) -> float:
        """Standard deviation of ln(focal length); 0 for a camera taken as exact."""
        return focal_sigma(self.covariance)


def focal_sigma(covariance: Float64[np.ndarray, "k k"] | None) -> float:
    """Standard deviation of ln(focal length), by the covariance of a pose and free intrinsics; 0 where none are."""
    return 0.0 if covariance is None or len(covariance) == 6 else float(np.sqrt(covariance[6, 6]))


def refine_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    start: Rigid,
    loss_scale_px: float,
    prior: Prior = (),
    moved: Float64[np.ndarray, "k"] | None = None,
    whitening: Float64[np.ndarray, "m 2 2"] | None = None,
) -> RefinedPose:
    """Gauss-Newton with iterative reweighting for the Cauchy loss, from `start` and intrinsics that have `moved`.

    The pose moves as Exp(rotation, translation) @ cam_from_world, so its derivatives, and the covariance, do not
    depend on the origin of the world, and the translation block is the covariance of the camera centre in camera axes.
    With a prior the intrinsics move as well, and are drawn to those of `camera`. `whitening`: what residuals are
    multiplied by, for matches that are not equally good.
    """

    def at(pose: Rigid, moved: np.ndarray) -> Linearised:
        found = linearised(points2d, points_in_world, camera.adjusted(*moved), pose, len(prior))
        return found if whitening is None else found.whitened(whitening)

    moved = np.zeros(len(prior)) if moved is None else moved
    found = minimum(at, start, loss_scale_px, prior, moved)
    rest = Rest(points2d, found.at, prior, loss_scale_px) if found.is_fixed else None
    return RefinedPose(found.pose, camera.adjusted(*found.moved), found.moved, rest)


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


def by_points(told: Sensitivity, jacobian: Float64[np.ndarray, "2 k m"], pose: Rigid) -> Float64[np.ndarray, "m k 3"]:
    """The derivative of the parameters by every point in the world, from that by every residual."""
    derivative: np.ndarray = -told.by_residual @ (jacobian[:, 3:6].T.swapaxes(1, 2) @ pose.rotation)
    return derivative


def reprojection_errors(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    pose: Rigid,
    whitening: Float64[np.ndarray, "m 2 2"] | None = None,
) -> Float64[np.ndarray, "m"]:
    """Distances, px, between pixels and projected points; infinite for points behind the camera."""
    residuals = project(camera, pose.apply(points_in_world)) - points2d
    if whitening is not None:
        residuals = np.einsum("mij,mj->mi", whitening, residuals)
    error = np.hypot(*residuals.T)
    return np.where(np.isnan(error), np.inf, error)


def linearised(
    points2d: np.ndarray, points_in_world: np.ndarray, camera: Camera, pose: Rigid, num_intrinsics: int = 0
) -> Linearised:
    """A camera's matches, by the left perturbation of its pose and so many intrinsics."""
    in_cam = pose.apply(points_in_world)
    residuals = points2d - project(camera, in_cam)
    inverse_depth = 1 / in_cam[:, 2]
    u, v = in_cam[:, 0] * inverse_depth, in_cam[:, 1] * inverse_depth
    zero = np.zeros_like(u)  # d (u, v) / d (rotation, translation), as in Murray, Li and Sastry 1994
    by_u = np.stack([-u * v, 1 + u * u, -v, inverse_depth, zero, -u * inverse_depth])
    by_v = np.stack([-1 - v * v, u * v, u, zero, inverse_depth, -v * inverse_depth])
    (a, b), (c, d) = distortion_jacobian(camera, u, v)
    by_pose = np.stack([a * by_u + b * by_v, c * by_u + d * by_v])
    depth = float(in_cam[:, 2].mean())
    if not num_intrinsics:
        return Linearised(residuals.T, by_pose, depth)
    by_both = np.concatenate([by_pose, _by_intrinsics(camera, u, v)[:, :num_intrinsics]], axis=1)
    return Linearised(residuals.T, by_both, depth)


def _by_intrinsics(camera: Camera, u: np.ndarray, v: np.ndarray) -> Float64[np.ndarray, "2 5 n"]:
    """The derivative of pixels by what `Camera.adjusted` changes, in its order."""
    one, zero = np.ones_like(u), np.zeros_like(u)
    zoomed = focal_derivative(camera, u, v)
    bent = distortion_derivative(camera, u, v) if camera.distortion else np.zeros((2, len(u)))
    across, down = np.stack([one, zero]), np.stack([zero, one])
    return np.stack([zoomed, bent, across, down, zoomed * down], axis=1)


def _step(
    residuals: Float64[np.ndarray, "2 m"],
    jacobian: Float64[np.ndarray, "2 k m"],
    moved: np.ndarray,
    prior: Prior,
    loss_scale_px: float,
) -> np.ndarray | None:
    """The Gauss-Newton step of the reweighted problem; intrinsics that have `moved` are pulled back by their prior."""
    weights, pull = _weights(residuals, loss_scale_px)
    normal = (jacobian[0] * weights) @ jacobian[0].T + (jacobian[1] * weights) @ jacobian[1].T
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
    half = np.linalg.norm(step[:3]) / 2
    return Rigid.from_quat_wxyz(np.append(np.cos(half), np.sinc(half / np.pi) / 2 * step[:3]), step[3:])
