"""Residuals made equally good: by how sure the points are, and how their error lies in the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Shaped
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_world
from ..geometry.rigid import Rigid


@dataclass(frozen=True, eq=False)
class Whitening:
    """What the residuals of matches are multiplied by before they are weighed by a loss.

    `reach_px`: a longer residual counts nothing, shorter ones the less the longer they are, by the biweight of Beaton
    and Tukey 1974, so that none comes or goes all at once; infinite: all count.
    """

    matrices: Float64[np.ndarray, "m 2 2"]
    reach_px: float = np.inf

    def of(self, residuals: Float64[np.ndarray, "2 m"]) -> Float64[np.ndarray, "m 2 2"]:
        """The matrices for residuals (px) that are so long."""
        nearness = np.maximum(1 - (residuals**2).sum(0) / self.reach_px**2, 0)
        return self.matrices * nearness[:, None, None]

    def __getitem__(self, rows: Shaped[np.ndarray, "k"]) -> Whitening:
        """Of some of the matches."""
        return Whitening(self.matrices[rows], self.reach_px)


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
