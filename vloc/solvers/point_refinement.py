"""Points refined together with a small offset of every map image, for poses that do not quite agree with each other.

Poses of real captures come from other software, a laser or a tracker, and are a little off. To first order, an error of
a camera's direction moves all its keypoints alike. Taken as a nuisance with the prior N(0, sigma^2), such an offset no
longer bends the points, while the poses stay as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..array_types import Float32, Float64, Int32
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.projection import distortion_jacobian, project

LOSS_SCALE_PX = 0.5
KEYPOINT_NOISE_PX = 0.2
"""standard deviation of one coordinate of a keypoint, against which the prior of the offsets is weighed"""
MAX_STEPS = 60
SMALLEST_STEP_PX = 5e-4


@dataclass(frozen=True, eq=False)
class _Observations:
    """Keypoints that show a point, image after image."""

    image: Int32[np.ndarray, "o"]
    point: Int32[np.ndarray, "o"]
    pixels: Float64[np.ndarray, "o 2"]


def refine_points(
    sparse: SparseMap, keypoints: Sequence[Float32[np.ndarray, "_ 2"]], pose_error_px: float
) -> SparseMap:
    """The map with its points, and their errors, at the Cauchy minimum over points and one 2D offset an image.

    `pose_error_px`: standard deviation of the offsets. Points and offsets are solved for in turns (Gauss-Newton for
    the points). A point that would leave the front of a camera stays where it was.
    """
    seen = _observations(sparse, keypoints)
    if not len(seen.point):
        return sparse
    points, offsets = sparse.points, np.zeros((len(sparse.image_names), 2))
    for _ in range(MAX_STEPS):
        residuals, jacobian = _linearise(sparse, points, seen, offsets)
        # What is behind its camera has no residual, and no weight: it must not stop the points beside it.
        weights = np.nan_to_num(1 / (1 + (residuals**2).sum(1) / LOSS_SCALE_PX**2))
        residuals = np.nan_to_num(residuals)
        step = _point_steps(residuals, jacobian, weights, seen.point, len(points))
        left = residuals - np.einsum("oki,oi->ok", jacobian, step[seen.point]) + offsets[seen.image]
        before, offsets = offsets, _offsets(left, weights, seen.image, len(offsets), pose_error_px)
        points = points + step
        if np.abs(offsets - before).max() < SMALLEST_STEP_PX:
            break
    return _with_points(sparse, points, seen)


def _observations(sparse: SparseMap, keypoints: Sequence[np.ndarray]) -> _Observations:
    rows = np.flatnonzero(sparse.point_of_keypoint != NO_POINT)
    image = (np.searchsorted(sparse.offsets, rows, side="right") - 1).astype(np.int32)
    pixels = np.concatenate([np.zeros((0, 2), np.float32), *keypoints])[rows]
    return _Observations(image, sparse.point_of_keypoint[rows], pixels.astype(np.float64))


def _linearise(
    sparse: SparseMap, points: Float64[np.ndarray, "p 3"], seen: _Observations, offsets: Float64[np.ndarray, "i 2"]
) -> tuple[Float64[np.ndarray, "o 2"], Float64[np.ndarray, "o 2 3"]]:
    """Residuals (measured minus projected) and the derivative of the projection by the point in the world.

    Behind a camera the residual is NaN, the derivative 0.
    """
    residuals, jacobian = np.empty((len(seen.pixels), 2)), np.empty((len(seen.pixels), 2, 3))
    bounds = np.searchsorted(seen.image, np.arange(len(sparse.image_names) + 1))
    for row, (start, stop) in enumerate(pairwise(bounds)):
        pose, camera, part = sparse.cam_from_world[row], sparse.camera(row), slice(start, stop)
        in_cam = pose.apply(points[seen.point[part]])
        residuals[part] = seen.pixels[part] - offsets[row] - project(camera, in_cam)
        in_front = in_cam[:, 2] > 0
        in_cam = np.where(in_front[:, None], in_cam, [0.0, 0.0, 1.0])
        inverse_depth = in_front / in_cam[:, 2]
        u, v = in_cam[:, 0] * inverse_depth, in_cam[:, 1] * inverse_depth
        zero = np.zeros_like(u)
        by_u = np.stack([inverse_depth, zero, -u * inverse_depth])
        by_v = np.stack([zero, inverse_depth, -v * inverse_depth])
        (a, b), (c, d) = distortion_jacobian(camera, u, v)
        by_cam = np.stack([a * by_u + b * by_v, c * by_u + d * by_v])
        jacobian[part] = np.einsum("kio,ij->okj", by_cam, pose.rotation)
    return residuals, jacobian


def _point_steps(
    residuals: np.ndarray, jacobian: np.ndarray, weights: np.ndarray, point: np.ndarray, count: int
) -> Float64[np.ndarray, "p 3"]:
    weighted = jacobian * weights[:, None, None]
    gram = _sums(np.einsum("oki,okj->oij", weighted, jacobian).reshape(-1, 9), point, count).reshape(-1, 3, 3)
    right = _sums(np.einsum("oki,ok->oi", weighted, residuals), point, count)
    # A trace of damping: points without observations, or behind a camera, must not stop the others.
    gram += np.eye(3) * (1e-12 * np.trace(gram, axis1=1, axis2=2)[:, None, None] + 1e-300)
    step: np.ndarray = np.linalg.solve(gram, right[..., None])[..., 0]
    return step


def _offsets(
    left: np.ndarray, weights: np.ndarray, image: np.ndarray, count: int, pose_error_px: float
) -> Float64[np.ndarray, "i 2"]:
    """The weighted mean of what is left in each image, drawn to zero by the prior."""
    total = np.bincount(image, weights, count) + (KEYPOINT_NOISE_PX / pose_error_px) ** 2
    return _sums(left * weights[:, None], image, count) / total[:, None]


def _with_points(sparse: SparseMap, points: Float64[np.ndarray, "p 3"], seen: _Observations) -> SparseMap:
    """The map with those points that still lie in front of their cameras, and with their reprojection errors."""
    residuals, _ = _linearise(sparse, points, seen, np.zeros((len(sparse.image_names), 2)))
    errors = _sums(np.hypot(*residuals.T)[:, None], seen.point, len(points))[:, 0] / sparse.track_lengths
    is_good = np.isfinite(errors)
    moved = np.where(is_good[:, None], points, sparse.points)
    return replace(sparse, points=moved, point_errors=np.where(is_good, errors, sparse.point_errors).astype(np.float32))


def _sums(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    return np.stack([np.bincount(groups, column, count) for column in values.T], axis=1)
