"""Residuals made equally good: by how sure the points are, and how their error lies in the image."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_world
from ..geometry.rigid import Rigid


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
    by_point = by_point_in_world(camera, cam_from_world, points_in_world)
    spread = np.einsum("ajn,bjn->abn", np.einsum("ain,nij->ajn", by_point, covariances), by_point)
    (xx, xy), (_, yy) = spread + noise_px**2 * np.eye(2)[..., None]
    a = np.sqrt(xx)  # of the Cholesky factor [[a, 0], [b, c]]
    b = xy / a
    c = np.sqrt(yy - b * b)
    scale = np.sqrt(np.median(1 / (a * c))) if len(a) else 1.0
    whitened = np.array([[1 / a, np.zeros_like(a)], [-b / (a * c), 1 / c]]) / scale
    result: Float64[np.ndarray, "m 2 2"] = np.moveaxis(whitened, -1, 0)
    return result
