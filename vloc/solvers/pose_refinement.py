"""A camera pose refined on 2D-3D matches by robust least squares in the distorted image, with its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import distortion_jacobian, project
from ..geometry.rigid import Rigid

MAX_STEPS = 50
SMALLEST_STEP = 1e-6  # radians, or depths of the scene: micrometres, where noise leaves millimetres


@dataclass(frozen=True, eq=False)
class RefinedPose:
    """A minimum, with the covariance of (rotation, translation) as a left perturbation; None where it is degenerate."""

    cam_from_world: Rigid
    covariance: Float64[np.ndarray, "6 6"] | None


def refine_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    start: Rigid,
    loss_scale_px: float,
) -> RefinedPose:
    """Gauss-Newton with iterative reweighting for the Cauchy loss, from `start`.

    The pose moves as Exp(rotation, translation) @ cam_from_world, so its derivatives, and the covariance, do not
    depend on the origin of the world, and the translation block is the covariance of the camera centre in camera axes.
    """
    pose = start
    for _ in range(MAX_STEPS):
        residuals, jacobian = _linearise(points2d, points_in_world, camera, pose)
        weights = 1 / (1 + (residuals**2).sum(0) / loss_scale_px**2)
        pull = residuals * weights
        step = _solve(_gram(jacobian, weights), jacobian[0] @ pull[0] + jacobian[1] @ pull[1])
        if step is None:
            return RefinedPose(pose, None)
        pose = _exp(step) @ pose
        depth = pose.apply(points_in_world)[:, 2].mean()
        if max(np.abs(step[:3]).max(), np.abs(step[3:]).max() / depth) < SMALLEST_STEP:
            break
    return RefinedPose(pose, _covariance(residuals, jacobian, loss_scale_px))


def reprojection_errors(
    points2d: Float64[np.ndarray, "m 2"], points_in_world: Float64[np.ndarray, "m 3"], camera: Camera, pose: Rigid
) -> Float64[np.ndarray, "m"]:
    """Distances, px, between pixels and projected points; infinite for points behind the camera."""
    x, y = (project(camera, pose.apply(points_in_world)) - points2d).T
    error = np.hypot(x, y)
    return np.where(np.isnan(error), np.inf, error)


def _linearise(
    points2d: np.ndarray, points_in_world: np.ndarray, camera: Camera, pose: Rigid
) -> tuple[Float64[np.ndarray, "2 m"], Float64[np.ndarray, "2 6 m"]]:
    """Residuals (measured minus projected) and the derivative of the projection by the left perturbation."""
    in_cam = pose.apply(points_in_world)
    residuals = points2d - project(camera, in_cam)
    inverse_depth = 1 / in_cam[:, 2]
    u, v = in_cam[:, 0] * inverse_depth, in_cam[:, 1] * inverse_depth
    zero = np.zeros_like(u)  # d (u, v) / d (rotation, translation), as in Murray, Li and Sastry 1994
    by_u = np.stack([-u * v, 1 + u * u, -v, inverse_depth, zero, -u * inverse_depth])
    by_v = np.stack([-1 - v * v, u * v, u, zero, inverse_depth, -v * inverse_depth])
    (a, b), (c, d) = distortion_jacobian(camera, u, v)
    return residuals.T, np.stack([a * by_u + b * by_v, c * by_u + d * by_v])


def _gram(
    jacobian: Float64[np.ndarray, "2 6 m"], weights: Float64[np.ndarray, "m"] | float = 1.0
) -> Float64[np.ndarray, "6 6"]:
    """J^T W J."""
    gram: np.ndarray = (jacobian[0] * weights) @ jacobian[0].T + (jacobian[1] * weights) @ jacobian[1].T
    return gram


def _solve(normal: Float64[np.ndarray, "6 6"], right: np.ndarray) -> np.ndarray | None:
    """The solution, or None where the matches leave a direction free."""
    scale = np.sqrt(np.diag(normal))
    if not (np.isfinite(normal).all() and (scale > 0).all()):
        return None
    unit = normal / np.outer(scale, scale)
    if np.linalg.eigvalsh(unit)[0] < 1e-12:
        return None
    return (np.linalg.solve(unit, (right.T / scale).T).T / scale).T


def _covariance(
    residuals: Float64[np.ndarray, "2 m"], jacobian: Float64[np.ndarray, "2 6 m"], loss_scale_px: float
) -> Float64[np.ndarray, "6 6"] | None:
    """Huber 1981, eq. 7.6.5: K^2 sum(psi^2) / (n - p) / mean(psi')^2 (J^T J)^-1, so the noise is the measured one.

    psi(r) = r w with w = 1 / (1 + |r|^2 / scale^2); psi' has the eigenvalues w (across r) and 2 w^2 - w (along r).
    """
    weights = 1 / (1 + (residuals**2).sum(0) / loss_scale_px**2)
    slopes = np.stack([weights, 2 * weights**2 - weights])
    correction = 1 + 6 / residuals.size * slopes.var() / slopes.mean() ** 2
    noise = ((residuals * weights) ** 2).sum() / max(residuals.size - 6, 1)
    inverse = _solve(_gram(jacobian), np.eye(6))
    return None if inverse is None else (inverse + inverse.T) / 2 * noise * (correction / slopes.mean()) ** 2


def _exp(step: Float64[np.ndarray, 6]) -> Rigid:
    """A small motion, by the rotation vector and the plain translation (equal to SE(3)'s to first order)."""
    from scipy.spatial.transform import Rotation

    return Rigid(Rotation.from_rotvec(step[:3]).as_matrix(), step[3:])
