"""How far the given poses of map images are off, found from their own disagreement.

With the points eliminated, the residuals of a map are linear in the errors of its poses and in the noise of its
keypoints. Poses from other software, a laser or a tracker have independent errors of one size each in rotation and in
centre; the two sizes are variance components, estimated by restricted maximum likelihood (Patterson and Thompson 1971)
with the fixed point of MacKay 1992 (eq. 4.9): sum |error|^2 / (number of errors - how many of them the prior fixes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Float32, Float64, Int64
from ..data.sparse_map import SparseMap
from .observations import Linearised, Observations, Projector, all_observations, each_of, sums

BLOCK_SIZE, MAX_BLOCKS = 24, 4
"""images whose poses are looked at together, and how often: bounds time and memory"""
POINTS_AT_A_TIME = 4096
"""bounds the memory of what couples points and poses: 14 MB"""
REWEIGHTINGS = 3
MAX_STEPS, SMALLEST_CHANGE = 50, 1e-2
START_PX, LEAST_PX = 0.1, 3e-3
"""px; what both kinds of error begin with, and less than which they never are"""
TAIL = 8.0
"""variances of keypoint noise beyond which an observation's weight falls (Student's t)"""


@dataclass(frozen=True, eq=False)
class _Block:
    """Some images (counted from 0) and the observations of points that at least two of them show."""

    seen: Observations
    residuals: Float64[np.ndarray, "o 2"]
    at: Linearised
    num_images: int
    num_points: int


def pose_noise(maps: Sequence[tuple[SparseMap, Sequence[Float32[np.ndarray, "_ 2"]]]]) -> Float64[np.ndarray, "2"]:
    """Standard deviation of each component of the poses' errors: rotation, radians; centre, metres (or map units).

    `maps`: parts of one map, with the keypoints of their images. Zeros where no two images show the same point.
    """
    blocks = [block for sparse, keypoints in maps for block in _blocks(sparse, keypoints, -(-MAX_BLOCKS // len(maps)))]
    if not blocks:
        return np.zeros(2)
    units = np.median([_units(block) for block in blocks], axis=0)  # one px of either, in radians and metres
    variances = (START_PX * units) ** 2
    weights = [_weights(block, block.residuals) for block in blocks]
    for _ in range(REWEIGHTINGS):
        systems = [_eliminate_points(block, w) for block, w in zip(blocks, weights, strict=True)]
        variances = _maximum_likelihood(systems, variances, (LEAST_PX * units) ** 2)
        weights = [
            _weights(block, _left_over(block, w, system, variances))
            for block, w, system in zip(blocks, weights, systems, strict=True)
        ]
    found: Float64[np.ndarray, "2"] = np.sqrt(variances)
    return found


def _blocks(sparse: SparseMap, keypoints: Sequence[np.ndarray], most: int) -> Iterator[_Block]:
    seen, pixels = all_observations(sparse, keypoints)
    count = min(most, -(-len(sparse.image_names) // BLOCK_SIZE))
    for first in np.linspace(0, len(sparse.image_names), count, endpoint=False).astype(int).tolist():
        images = _neighbourhood(sparse, seen, first)
        rows = np.flatnonzero(np.isin(seen.image, images))
        rows = rows[np.bincount(seen.point[rows], minlength=len(sparse.points))[seen.point[rows]] > 1]
        part = Observations(seen.image[rows], seen.point[rows])
        at = Projector(sparse, part).linearised(sparse.points)
        if len(rows) and np.isfinite(at.pixels).all():
            image, point = (np.unique(x, return_inverse=True)[1].astype(np.int32) for x in (part.image, part.point))
            sizes = int(image.max()) + 1, int(point.max()) + 1
            yield _Block(Observations(image, point), pixels[rows] - at.pixels, at, *sizes)


def _neighbourhood(sparse: SparseMap, seen: Observations, first: int) -> Int64[np.ndarray, "b"]:
    """An image and those that share most points with it, or with those already taken."""
    images = np.array([first])
    for size in (BLOCK_SIZE // 4, BLOCK_SIZE // 2, BLOCK_SIZE):
        is_shown = np.zeros(len(sparse.points), bool)
        is_shown[seen.point[np.isin(seen.image, images)]] = True
        shared = np.bincount(seen.image, is_shown[seen.point], len(sparse.image_names)).astype(np.float64)
        shared[images] = np.inf
        images = np.argsort(-shared, kind="stable")[:size]
        images = np.sort(images[shared[images] > 0])
    return images


def _units(block: _Block) -> Float64[np.ndarray, "2"]:
    """The rotation (radians) and the shift of a centre that move keypoints by about a pixel."""
    return 1 / np.median(np.abs(block.at.by_pose[:, 0, [1, 3]]), axis=0)


def _weights(block: _Block, left_over: Float64[np.ndarray, "o 2"]) -> Float64[np.ndarray, "o"]:
    """Inverse variances of keypoints: the measured noise, by its median, which mismatches leave alone, and its tail."""
    squares = (left_over**2).mean(1)
    freedom = max(1 - 1.5 * block.num_points / len(squares), 0.1)  # of 2 numbers, a point takes 3 for all it has
    noise = max(np.median(squares) / np.log(2) / freedom, 1e-12)
    weights: Float64[np.ndarray, "o"] = (1 + 2 / TAIL) / (noise + 2 * squares / TAIL)
    return weights


def _eliminate_points(block: _Block, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the residuals tell of the poses' errors whatever the points: normal matrix (6 b, 6 b) and right side."""
    image, by_pose, (rotated, right) = block.seen.image, block.at.by_pose, _whitened(block, weights, block.residuals)
    weighted = by_pose * weights[:, None, None]
    own = sums(np.einsum("oka,okb->oab", weighted, by_pose), image, block.num_images)
    pull = sums(np.einsum("oka,ok->oa", weighted, block.residuals), image, block.num_images).ravel()
    normal = np.zeros((6 * block.num_images, 6 * block.num_images))
    for row, part in zip(range(0, len(normal), 6), own, strict=True):
        normal[row : row + 6, row : row + 6] = part
    for points, coupling in _couplings(block, np.einsum("oka,okb->oab", rotated, weighted)):
        normal -= coupling.T @ coupling
        pull -= coupling.T @ right[points].ravel()
    return normal, pull


def _couplings(block: _Block, mixed: Float64[np.ndarray, "o 3 6"]) -> Iterator[tuple[slice, np.ndarray]]:
    """The points, some at a time, with the dense matrix (3 p, 6 b) that couples them with all poses."""
    order = np.argsort(block.seen.point, kind="stable")
    for first in range(0, block.num_points, POINTS_AT_A_TIME):
        points = slice(first, min(first + POINTS_AT_A_TIME, block.num_points))
        rows = order[slice(*np.searchsorted(block.seen.point[order], [points.start, points.stop]))]
        coupling = np.zeros((points.stop - first, block.num_images, 3, 6))
        np.add.at(coupling, (block.seen.point[rows] - first, block.seen.image[rows]), mixed[rows])
        yield points, coupling.swapaxes(1, 2).reshape(-1, 6 * block.num_images)


def _whitened(block: _Block, weights: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The derivative by points in whose units the weighted normal matrix of each point is 1, and J^T W r in them."""
    by_point, point = block.at.by_point, block.seen.point
    weighted = by_point * weights[:, None, None]
    gram = sums(np.einsum("oki,okj->oij", weighted, by_point), point, block.num_points)
    gram += np.eye(3) * 1e-9 * np.trace(gram, axis1=1, axis2=2)[:, None, None]  # points that rays leave free along them
    unit = np.linalg.inv(np.linalg.cholesky(gram)).transpose(0, 2, 1)
    rotated = np.einsum("oki,oia->oka", by_point, each_of(unit, point))
    return rotated, sums(np.einsum("oka,ok->oa", rotated, residuals * weights[:, None]), point, block.num_points)


def _left_over(
    block: _Block, weights: np.ndarray, system: tuple[np.ndarray, np.ndarray], variances: np.ndarray
) -> Float64[np.ndarray, "o 2"]:
    """Residuals that neither the likeliest errors of poses nor shifts of points explain."""
    normal, right = system
    errors = np.linalg.solve(normal + np.diag(1 / _of_each(variances, len(right))), right).reshape(-1, 6)
    left = block.residuals - np.einsum("okb,ob->ok", block.at.by_pose, errors[block.seen.image])
    rotated, shift = _whitened(block, weights, left)
    return left - np.einsum("oka,oa->ok", rotated, shift[block.seen.point])


def _maximum_likelihood(
    systems: Sequence[tuple[np.ndarray, np.ndarray]], variances: np.ndarray, least: np.ndarray
) -> Float64[np.ndarray, "2"]:
    """Variances of rotations and of centres over all blocks."""
    for _ in range(MAX_STEPS):
        squares, fixed = np.zeros(2), np.zeros(2)
        for normal, right in systems:
            covariance = np.linalg.inv(normal + np.diag(1 / _of_each(variances, len(right))))
            errors, uncertain = (part.reshape(-1, 2, 3) for part in (covariance @ right, np.diag(covariance)))
            squares += (errors**2).sum((0, 2))
            fixed += (1 - uncertain / variances[None, :, None]).sum((0, 2))
        before, variances = variances, np.maximum(squares / np.maximum(fixed, 1e-6), least)
        if np.abs(np.log(variances / before)).max() < SMALLEST_CHANGE:
            break
    return variances


def _of_each(variances: np.ndarray, size: int) -> np.ndarray:
    """The variance of every component: three of rotation and three of the centre for each image."""
    return np.tile(np.repeat(variances, 3), size // 6)
