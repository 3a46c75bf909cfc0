"""The covariance of a refined pose: of keypoints and points as the residuals show it, and of the map's own poses.

A refined pose minimises sum rho(r_j), so small changes e_j of the residuals move it by A^-1 sum w_j^2 J_j^T e_j, with
A = sum w_j^2 J_j^T J_j; w^2 is the derivative of psi(r) = r w, w = 1 / (1 + |r|^2 / s^2), averaged over the directions
of r. Two kinds of change are told apart.

What is independent from match to match, the noise of a keypoint (which grows with its scale) and of those that its
point was made from, is in the residuals, and so measured rather than assumed: A^-1 (sum g_c g_c^T) A^-1, where g_c is
the sum of J_j^T psi(r_j) over the matches of one position (Huber 1967; clusters as in Liang and Zeger 1986). Of few
matches the sum of products is drawn to what one variance of all residuals would give, as by an inverse Wishart prior.

What is common to many matches hides in the pose and leaves no residuals: the error p_i of a map image's pose moves all
the points that it shows. Points are least-squares minima, so it moves a query's pose by L_i p_i, with
L_i = sum_j H_j (sum_o D_o^T D_o)^-1 D_ij^T B_ij, where H_j is the query's derivative by point j, and D_o, B_o are those
of an observation's pixel by its point and by its image's pose. With p_i ~ N(0, S), S from `SparseMap.pose_noise`, the
covariance is sum_i L_i S L_i^T. That points are refined so that poses agree better is left out of account: the poses
that a result would be measured against have errors of the same size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int, Int32
from ..data.sparse_map import SparseMap
from .observations import KEYPOINT_NOISE_PX, Observations, Projector, sums

DEPENDENCE = 1.35
"""variance of a pose over that of independent matches: errors of distant keypoints have a correlation of some 0.0005
(synthetic galleries with exact truth, seeds 1 and 2)"""
COMMON = 20
"""matches that one variance common to all counts for: the products of few pulls always leave some direction too sure"""
SAMPLE = 1024
"""matches at most that tell what errors of the map's poses do to a pose: they move hundreds of matches alike"""
LEAST_EIGENVALUE = 1e-12
"""of a normal matrix with ones on its diagonal; a smaller one leaves a direction free"""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """A minimum's covariance by independent noise, and the derivative of its k parameters by every residual."""

    covariance: Float64[np.ndarray, "k k"]
    by_residual: Float64[np.ndarray, "m k 2"]


def sensitivity(
    points2d: Float64[np.ndarray, "m 2"],
    residuals: Float64[np.ndarray, "2 m"],
    jacobian: Float64[np.ndarray, "2 k m"],
    loss_scale_px: float,
    strength: Float64[np.ndarray, "k"],
    prior: Float64[np.ndarray, "k"],
) -> Sensitivity | None:
    """Of the Cauchy minimum at these residuals; None where a direction is free.

    `jacobian`: of the projections. `strength`: what was added to the normal matrix for the priors of the parameters,
    px^2 (0 without one); `prior`: their standard deviations.
    """
    weights = 1 / (1 + (residuals**2).sum(0) / loss_scale_px**2)
    normal = np.einsum("akm,alm,m->kl", jacobian, jacobian, weights**2, optimize=True) + np.diag(strength)
    inverse = inverse_of(normal)
    if inverse is None:
        return None
    pull = np.einsum("akm,am,m->mk", jacobian, residuals, weights)
    _, position = np.unique(points2d @ [1, 1j], return_inverse=True)
    pull = sums(pull, position, int(position.max()) + 1)
    common = np.square(residuals * weights).mean() * np.einsum("akm,alm->kl", jacobian, jacobian, optimize=True)
    common *= len(weights) / len(pull)  # matches at one position err alike
    scatter = (len(pull) * pull.T @ pull + COMMON * common) / (len(pull) + COMMON)
    noise = DEPENDENCE * _few(weights, len(pull), len(normal)) * scatter + np.diag((strength * prior) ** 2)
    by_residual = np.einsum("kl,alm,m->mka", inverse, jacobian, weights**2, optimize=True)
    return Sensitivity(inverse @ noise @ inverse, by_residual)


def slope(weights: Float64[np.ndarray, "m"], num_free: int) -> tuple[float, float]:
    """Mean of psi', whose eigenvalues are w (across r) and 2 w^2 - w (along r), and K of Huber 1981, eq. 7.6.5.

    K: what few matches add, as parameters fit part of the noise.
    """
    slopes = np.stack([weights, 2 * weights**2 - weights])
    return float(slopes.mean()), float(1 + num_free / slopes.size * slopes.var() / slopes.mean() ** 2)


def _few(weights: Float64[np.ndarray, "m"], num_positions: int, num_free: int) -> float:
    """By how much few matches make a covariance larger: K^2 n / (n - p - 2) (Huber 1981, eq. 7.6.5).

    n: twice the positions that count, by their weights in the curvature (Kish 1965). 2: the noise is known from the
    same residuals only, so errors have Student's t, whose variance that is.
    """
    curvature = weights**2
    counting = curvature.sum() ** 2 / np.square(curvature).sum() / len(weights)
    size = 2 * num_positions * counting
    return float(slope(weights, num_free)[1] ** 2 * size / max(size - num_free - 2, 1))


def inverse_of(normal: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k k"] | None:
    """The inverse of a normal matrix, whatever the units of its rows; None where it leaves a direction free."""
    scale = np.sqrt(np.diag(normal))
    if not (np.isfinite(normal).all() and (scale > 0).all()):
        return None
    unit = normal / np.outer(scale, scale)
    if np.linalg.eigvalsh(unit)[0] < LEAST_EIGENVALUE:
        return None
    inverse: np.ndarray = np.linalg.inv(unit)
    return (inverse + inverse.T) / 2 / np.outer(scale, scale)


def covariance_of_map(
    sparse: SparseMap, points: Int32[np.ndarray, "m"], by_point: Float64[np.ndarray, "m k 3"]
) -> Float64[np.ndarray, "k k"]:
    """What errors of the map's poses do to k parameters with derivatives `by_point` by some of its points (rows)."""
    if not sparse.pose_noise.any():
        return np.zeros((by_point.shape[1],) * 2)
    one_of = -(-len(points) // SAMPLE)
    points, by_point = points[::one_of], one_of * by_point[::one_of]
    image, match = sparse.observations_of(points)
    order = np.argsort(image, kind="stable")
    match, seen = match[order], Observations(image[order], points[match[order]])
    by_moved = _by_moved(sparse, points, by_point, match, seen)  # (6 or more, 3, o)
    poses, starts = sparse.cam_from_world, np.flatnonzero(np.diff(seen.image, prepend=-1))
    x, y, z = (sparse.points[seen.point] - poses.center[seen.image]).T
    a, b, c = by_moved.swapaxes(0, 1)
    turned = np.stack([y * c - z * b, z * a - x * c, x * b - y * a], axis=1)
    both = (np.add.reduceat(part, starts, axis=-1) for part in (turned, by_moved))
    turns = poses.rotation[seen.image[starts]].swapaxes(1, 2)
    by_pose = np.concatenate([np.moveaxis(part, -1, 0) @ turns for part in both], axis=2)
    scaled = by_pose * np.repeat(sparse.pose_noise, 3)
    return np.einsum("ikb,ilb->kl", scaled, scaled)


def _by_moved(
    sparse: SparseMap,
    points: Int32[np.ndarray, "m"],
    by_point: Float64[np.ndarray, "m k 3"],
    match: Int[np.ndarray, "o"],
    seen: Observations,
) -> Float64[np.ndarray, "k 3 o"]:
    """How the parameters answer where an observation moves its point, in the world, as far as the others let it.

    A moved pose is as good as a moved point: Exp(rotation, translation) @ cam_from_world sees a point of the world
    where R^T (rotation x (R (point - center)) + translation) beside it was. Depth moves with the image whose it is;
    every image has an equal share in it.
    """
    at = Projector(sparse, seen).linearised(sparse.points, poses=False).by_point.transpose(1, 2, 0)
    held = np.einsum("aio,ajo->ijo", at, at)
    known = sparse.depth_information_of(points) * KEYPOINT_NOISE_PX**2
    gram = sums(held.transpose(2, 0, 1), match, len(points)) + known
    if sparse.depth_information is not None:
        held += (known / np.bincount(match, minlength=len(points))[:, None, None])[match].transpose(1, 2, 0)
    gain = np.einsum("mki,ijm->kjm", by_point, _inverse(np.moveaxis(gram, 0, -1)))
    return np.einsum("kio,ijo->kjo", gain.take(match, axis=-1), held)


def _inverse(of: Float64[np.ndarray, "3 3 m"]) -> Float64[np.ndarray, "3 3 m"]:
    """By Cramer's rule: of thousands of small matrices, in a fifth of the time of as many factorisations."""
    (a, b, c), (d, e, f), (g, h, i) = of
    adjugate = np.array([
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ])  # fmt: skip
    return adjugate / (a * adjugate[0, 0] + b * adjugate[1, 0] + c * adjugate[2, 0])
