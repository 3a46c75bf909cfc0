"""Does a match agree with two known poses? Distances to epipolar lines, and rays that meet in front."""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float64
from .camera import Camera
from .projection import unproject
from .rigid import Rigid


def epipolar_errors(
    points1: Float64[np.ndarray, "m 2"],
    points2: Float64[np.ndarray, "m 2"],
    cam2_from_cam1: Rigid,
    focal1: float,
    focal2: float,
) -> Float64[np.ndarray, "m"]:
    """Distances to the epipolar lines, px, the larger of the two images; infinite where a camera has no baseline.

    Points are normalised and undistorted (`unproject`). Hartley and Zisserman 2004, section 11.4.3 and eq. 9.12
    (E = [t]x R), each distance scaled by the focal length of its image.
    """
    essential = _cross(cam2_from_cam1.translation) @ cam2_from_cam1.rotation
    first, second = _homogeneous(points1), _homogeneous(points2)
    lines2, lines1 = first @ essential.T, second @ essential
    algebraic = np.abs((second * lines2).sum(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        error1 = algebraic / np.hypot(lines1[:, 0], lines1[:, 1]) * focal1
        error2 = algebraic / np.hypot(lines2[:, 0], lines2[:, 1]) * focal2
    error: np.ndarray = np.maximum(error1, error2)
    return np.where(np.isnan(error), np.inf, error)


def rays_meet_in_front(
    points1: Float64[np.ndarray, "m 2"], points2: Float64[np.ndarray, "m 2"], cam2_from_cam1: Rigid
) -> Bool[np.ndarray, "m"]:
    """Whether the closest points of two rays have positive depth in both cameras (parallel rays do not meet).

    Least squares of depth2 * x2 = depth1 * R x1 + t by Cramer's rule.
    """
    ray1 = _homogeneous(points1) @ cam2_from_cam1.rotation.T
    ray2, t = _homogeneous(points2), cam2_from_cam1.translation
    a, b, c = (ray1 * ray1).sum(1), (ray1 * ray2).sum(1), (ray2 * ray2).sum(1)
    depth1 = b * (ray2 @ t) - c * (ray1 @ t)  # times the determinant a c - b^2, as below: never negative
    depth2 = a * (ray2 @ t) - b * (ray1 @ t)
    return (depth1 > 0) & (depth2 > 0)


def agrees_with_poses(
    pixels1: Float64[np.ndarray, "m 2"],
    camera1: Camera,
    pixels2: Float64[np.ndarray, "m 2"],
    camera2: Camera,
    cam2_from_cam1: Rigid,
    max_error_px: float,
) -> Bool[np.ndarray, "m"]:
    """Which matched pixels lie within `max_error_px` of their epipolar lines, their rays meeting in front of both."""
    points1, points2 = unproject(camera1, pixels1), unproject(camera2, pixels2)
    focal1, focal2 = float(np.mean(camera1.focal)), float(np.mean(camera2.focal))
    errors = epipolar_errors(points1, points2, cam2_from_cam1, focal1, focal2)
    return (errors <= max_error_px) & rays_meet_in_front(points1, points2, cam2_from_cam1)


def _homogeneous(points: Float64[np.ndarray, "m 2"]) -> Float64[np.ndarray, "m 3"]:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)


def _cross(t: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """[t]x, the matrix of the cross product."""
    return np.array([[0.0, -t[2], t[1]], [t[2], 0.0, -t[0]], [-t[1], t[0], 0.0]])
