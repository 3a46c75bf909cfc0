"""A camera pose refined on 2D-3D matches by robust least squares in the distorted image, with its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import distortion_derivative, distortion_jacobian, focal_derivative, project
from ..geometry.rigid import Rigid
from .pose_covariance import Sensitivity
from .robust_minimum import Linearised, Prior, Rest, minimum
from .whitening import Whitening


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
    whitening: Whitening | None = None,
) -> RefinedPose:
    """Gauss-Newton with iterative reweighting for the Cauchy loss, from `start` and intrinsics that have `moved`.

    The pose moves as Exp(rotation, translation) @ cam_from_world, so its derivatives, and the covariance, do not
    depend on the origin of the world, and the translation block is the covariance of the camera centre in camera axes.
    With a prior the intrinsics move as well, and are drawn to those of `camera`. `whitening`: what residuals are
    multiplied by, for matches that are not equally good.
    """

    def at(pose: Rigid, moved: np.ndarray) -> Linearised:
        found = linearised(points2d, points_in_world, camera.adjusted(*moved), pose, len(prior))
        return found if whitening is None else found.whitened(whitening.of(found.residuals))

    moved = np.zeros(len(prior)) if moved is None else moved
    found = minimum(at, start, loss_scale_px, prior, moved)
    rest = Rest(points2d, found.at, prior, loss_scale_px) if found.is_fixed else None
    return RefinedPose(found.pose, camera.adjusted(*found.moved), found.moved, rest)


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
