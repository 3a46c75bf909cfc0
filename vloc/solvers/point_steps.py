"""Steps of Gauss-Newton for many points at a time."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from .observations import Linearised, Observations, sums

SYMMETRIC = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
"""where the entries of a symmetric matrix are among those of its upper triangle"""


def gauss_newton_steps(
    residuals: Float64[np.ndarray, "o 2"],
    at: Linearised,
    seen: Observations,
    count: int,
    weights: Float64[np.ndarray, "o"] | None = None,
    information: Float64[np.ndarray, "p 3 3"] | float = 0.0,
    pull: Float64[np.ndarray, "p 3"] | float = 0.0,
) -> Float64[np.ndarray, "p 3"]:
    """The step of each of `count` points that makes the (weighted) residuals of its keypoints least, to first order.

    `information` and `pull`: what else is known of the points, as normal matrices and right sides.
    """
    weighted = at.by_point if weights is None else at.by_point * weights[:, None, None]
    right = sums(np.einsum("oki,ok->oi", weighted, residuals), seen.point, count)
    return _solve(normal_matrices(at, seen, count, weighted) + information, right + pull)


def normal_matrices(
    at: Linearised, seen: Observations, count: int, weighted: np.ndarray
) -> Float64[np.ndarray, "p 3 3"]:
    """J^T W J of every point, with a trace of damping: one without observations or behind a camera stops no others."""
    upper = [(weighted[..., i] * at.by_point[..., j]).sum(1) for i, j in zip(*np.triu_indices(3), strict=True)]
    gram = sums(np.stack(upper).T, seen.point, count)[:, SYMMETRIC]
    return gram + np.eye(3) * (1e-12 * np.trace(gram, axis1=1, axis2=2)[:, None, None] + 1e-300)


def _solve(gram: Float64[np.ndarray, "p 3 3"], right: Float64[np.ndarray, "p 3"]) -> Float64[np.ndarray, "p 3"]:
    """The solutions by L D L^T, all points at a time; LAPACK takes them one by one, which is ten times as long."""
    ((xx, xy, xz), (_, yy, yz), (_, _, zz)), (x, y, z) = np.moveaxis(gram, 0, -1), right.T
    by_x, bz_x = xy / xx, xz / xx
    pivot_y, rest = yy - by_x * xy, yz - by_x * xz
    by_y = rest / pivot_y
    y, z = y - by_x * x, z - bz_x * x
    z = (z - by_y * y) / (zz - bz_x * xz - by_y * rest)
    y = y / pivot_y - by_y * z
    return np.stack([x / xx - by_x * y - bz_x * z, y, z]).T
