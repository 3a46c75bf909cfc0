"""Residuals made equally good: by how sure the points are, and how their error lies in the image."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .observations import by_point_in_cam


def whitening(
    camera: Camera,
    cam_from_world: Rigid,
    points_in_world: Float64[np.ndarray, "m 3"],
    covariances: Float64[np.ndarray, "m 3 3"],
    noise_px: float,
) -> Float64[np.ndarray, "m 2 2"]:
    """What reprojection residuals are multiplied by so that all have the same covariance.

    A residual has the keypoint's noise (`noise_px`, of each coordinate) and what the point's covariance (world axes,
    m^2) projects to: points seen from nearby places only are unsure along the view, which tells little across it. The
    usual residual keeps its size in pixels (median determinant 1), so that losses and limits mean what they did.
    """
    by_point = by_point_in_cam(camera, cam_from_world.apply(points_in_world)).transpose(2, 1, 0)  # (m, 2, 3)
    by_point = by_point @ cam_from_world.rotation
    spread = by_point @ covariances @ by_point.transpose(0, 2, 1) + noise_px**2 * np.eye(2)
    whitened = np.linalg.inv(np.linalg.cholesky(spread))
    scale = np.sqrt(np.median(np.linalg.det(whitened))) if len(whitened) else 1.0
    result: Float64[np.ndarray, "m 2 2"] = whitened / scale
    return result
