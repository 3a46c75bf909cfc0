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
from itertools import pairwise

import numpy as np

from ..array_types import Float64, Int, Int32
from ..data.sparse_map import SparseMap
from .observations import KEYPOINT_NOISE_PX, Observations, Projector, each_of, sums

DEPENDENCE = 1.35
"""variance of a pose over that of independent matches: errors of distant keypoints have a correlation of some 0.0005
(synthetic galleries with exact truth, seeds 1 and 2)"""
COMMON = 20
"""matches that one variance common to all counts for: the products of few pulls always leave some direction too sure"""
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


def _pull_of_depth(
    sparse: SparseMap, seen: Observations, known: Float64[np.ndarray, "o 3 3"], match: Int[np.ndarray, "o"]
) -> Float64[np.ndarray, "o 3 6"]:
    """The same of depth, which moves with the image whose it is; every image has an equal share in it.

    A point in the world answers to Exp(rotation, translation) @ cam_from_world by -R^T [-[x]_x, 1], x in the camera.
    """
    turn, points = sparse.cam_from_world.rotation[seen.image], sparse.points[seen.point]
    x = np.einsum("oij,oj->oi", turn, points) + sparse.cam_from_world.translation[seen.image]
    cross = np.cross(x[:, None], np.eye(3)[None])  # row j: x cross e_j, which is row j of -[x]_x
    by_pose = np.concatenate([cross, np.broadcast_to(np.eye(3), (len(x), 3, 3))], axis=2)
    share = known / np.bincount(match)[match][:, None, None]
    return share @ turn.transpose(0, 2, 1) @ by_pose


def covariance_of_map(
    sparse: SparseMap, points: Int32[np.ndarray, "m"], by_point: Float64[np.ndarray, "m k 3"]
) -> Float64[np.ndarray, "k k"]:
    """What errors of the map's poses do to k parameters with derivatives `by_point` by some of its points (rows)."""
    covariance = np.zeros((by_point.shape[1],) * 2)
    if not sparse.pose_noise.any():
        return covariance
    image, match = sparse.observations_of(points)
    order = np.argsort(image, kind="stable")
    match, seen = match[order], Observations(image[order], points[match[order]])
    gain, pull = _gain_and_pull(sparse, points, by_point, match, seen)
    for start, stop in pairwise(np.flatnonzero(np.diff(seen.image, prepend=-1, append=-1)).tolist()):
        by_pose = (gain[..., start:stop] @ pull[:, start:stop]).sum(0)
        scaled = by_pose * np.repeat(sparse.pose_noise, 3)
        covariance += scaled @ scaled.T
    return covariance


def _gain_and_pull(
    sparse: SparseMap,
    points: Int32[np.ndarray, "m"],
    by_point: Float64[np.ndarray, "m k 3"],
    match: Int[np.ndarray, "o"],
    seen: Observations,
) -> tuple[Float64[np.ndarray, "3 k o"], Float64[np.ndarray, "3 o 6"]]:
    """How the parameters answer to the right side of an observation's point, and that to the pose of its image."""
    at = Projector(sparse, seen).linearised(sparse.points)
    known = sparse.depth_information_of(points) * KEYPOINT_NOISE_PX**2
    gram = sums(np.einsum("oki,okj->oij", at.by_point, at.by_point), match, len(points)) + known
    pull = np.einsum("oki,okb->oib", at.by_point, at.by_pose)
    if sparse.depth_information is not None:
        pull += _pull_of_depth(sparse, seen, known[match], match)
    gain = each_of(by_point @ np.linalg.inv(gram), match)
    return gain.transpose(2, 1, 0), pull.transpose(1, 0, 2)
