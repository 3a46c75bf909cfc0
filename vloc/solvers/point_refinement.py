"""Points refined together with a small offset of every map image, for poses that do not quite agree with each other.

Poses of real captures come from other software, a laser or a tracker, and are a little off. To first order, an error of
a camera's direction moves all its keypoints alike. Taken as a nuisance with the prior N(0, sigma^2), such an offset no
longer bends the points, while the poses stay as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..array_types import Float32, Float64, Int64
from ..data.sparse_map import SparseMap, upper_triangles
from .observations import (
    KEYPOINT_NOISE_PX,
    Linearised,
    Observations,
    Projector,
    all_observations,
    each_of,
    sums,
)
from .point_steps import gauss_newton_steps, normal_matrices
from .surfaces import NOWHERE, Surfaces

LOSS_SCALE_PX = 0.5
INDEPENDENT_KEYPOINTS = 30
"""as many keypoints of an image tell of its offset at most: what distortion and blur leave moves whole regions alike"""
LEAST_OFFSET_PX = 1e-4
"""px; a smaller prior is as good as none"""
MAX_STEPS = 60
MEMORY = 5
"""steps of the offsets from which the next is extrapolated"""
OBSERVATIONS_OF_NOISE = 4096
"""at most, that tell how far errors of poses move keypoints"""
SMALLEST_STEP_PX, SMALLEST_SHIFT_PX = 5e-4, 5e-3
"""of the offsets, and of the keypoints by the points in the mean (single points may go on for ever)"""


def refine_points(
    sparse: SparseMap,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    pose_error_px: float | None = None,
    surfaces: Surfaces = NOWHERE,
) -> SparseMap:
    """The map with its points, and their errors, at the Cauchy minimum over points and one 2D offset an image.

    `pose_error_px`: standard deviation of the offsets, unless given by the map's own `pose_noise`. `surfaces`: where
    depth says that the points lie; those that one keypoint shows are taken to lie there already, and stay. Points and
    offsets are solved for in turns (Gauss-Newton for the points), the offsets extrapolated. A point that would leave
    the front of a camera stays where it was.
    """
    everything, all_pixels = all_observations(sparse, keypoints)
    if not len(everything):
        return _without_observations(sparse)
    shared = sparse.track_lengths > 1
    seen, near = everything.of(shared), surfaces.of(shared)
    points, offsets = sparse.points, np.zeros((len(sparse.image_names), 2))
    pixels = np.asfortranarray(all_pixels[shared[everything.point]])
    sigma_px = _pose_error_px(sparse, seen) if pose_error_px is None else pose_error_px
    projector, steps = Projector(sparse, seen), list[tuple[np.ndarray, np.ndarray]]()
    for _ in range(MAX_STEPS if len(seen) else 0):
        at = projector.linearised(points, poses=False)
        moved = each_of(offsets, seen.image)
        residuals = pixels - moved - at.pixels
        # What is behind its camera has no residual, and no weight: it must not stop the points beside it.
        weights, residuals = np.nan_to_num(_weights(residuals)), np.nan_to_num(residuals)
        step = _point_steps(residuals, at, weights, seen, points, near)
        shift = np.einsum("oki,oi->ok", at.by_point, each_of(step, seen.point))
        left = residuals - shift + moved
        steps.append((offsets, _offsets(left, weights, seen, len(offsets), sigma_px) - offsets))
        offsets, points = extrapolated(steps[-MEMORY - 1 :]), points + step
        if np.abs(steps[-1][1]).max() < SMALLEST_STEP_PX and (shift**2).mean() < SMALLEST_SHIFT_PX**2:
            break
    return _with_points(sparse, points, everything, all_pixels, offsets, surfaces)


def extrapolated(steps: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Where an iteration is heading, from its last values (equal shapes) and the step that it took from each.

    Anderson acceleration: the step is taken to be affine in the value, and the combination of values with the least
    step is continued by its step (Walker and Ni, Anderson acceleration for fixed-point iterations, 2011, eq. 2.2).
    """
    values, taken = (np.array([part.ravel() for part in parts]) for parts in zip(*steps, strict=True))
    by_value, by_step = np.diff(values, axis=0), np.diff(taken, axis=0)
    back = np.linalg.lstsq(by_step.T, taken[-1])[0]
    return (values[-1] + taken[-1] - back @ (by_value + by_step)).reshape(steps[-1][0].shape)


def with_covariances(sparse: SparseMap, keypoints: Sequence[Float32[np.ndarray, "_ 2"]]) -> SparseMap:
    """The map as it is, with the covariances of its points."""
    seen, pixels = all_observations(sparse, keypoints)
    if not len(seen):
        return _without_observations(sparse)
    return _with_points(sparse, sparse.points, seen, pixels, np.zeros((len(sparse.image_names), 2)), NOWHERE)


def _without_observations(sparse: SparseMap) -> SparseMap:
    return replace(sparse, point_covariances=np.full((len(sparse.points), 6), np.inf, np.float32))


def _pose_error_px(sparse: SparseMap, seen: Observations) -> float:
    """How far errors of the size of the map's `pose_noise` move a keypoint, in the middle of some."""
    step = -(-len(seen) // OBSERVATIONS_OF_NOISE)
    some = Observations(seen.image[::step], seen.point[::step])
    moved = (Projector(sparse, some).linearised(sparse.points).by_pose ** 2).reshape(-1, 2, 2, 3).sum((1, 3)) / 2
    return float(np.sqrt(np.nanmedian(moved @ sparse.pose_noise**2)))


def _weights(residuals: Float64[np.ndarray, "o 2"]) -> Float64[np.ndarray, "o"]:
    """Of the Cauchy loss."""
    weights: Float64[np.ndarray, "o"] = 1 / (1 + (residuals**2).sum(1) / LOSS_SCALE_PX**2)
    return weights


def _point_steps(
    residuals: np.ndarray,
    at: Linearised,
    weights: np.ndarray,
    seen: Observations,
    points: Float64[np.ndarray, "p 3"],
    surfaces: Surfaces,
) -> Float64[np.ndarray, "p 3"]:
    information, pull = (KEYPOINT_NOISE_PX**2 * part for part in surfaces.normal_equations(points))
    return gauss_newton_steps(residuals, at, seen, len(points), weights, information, pull)


def _offsets(
    left: np.ndarray, weights: np.ndarray, seen: Observations, count: int, sigma_px: float
) -> Float64[np.ndarray, "i 2"]:
    """The weighted mean of what is left in each image, drawn to zero by the prior."""
    given = np.bincount(seen.image, weights, count)
    prior = (KEYPOINT_NOISE_PX / max(sigma_px, LEAST_OFFSET_PX)) ** 2
    total = given + prior * np.maximum(1, given / INDEPENDENT_KEYPOINTS)
    return sums(left * weights[:, None], seen.image, count) / total[:, None]


def _with_points(
    sparse: SparseMap,
    points: Float64[np.ndarray, "p 3"],
    seen: Observations,
    pixels: Float64[np.ndarray, "o 2"],
    offsets: Float64[np.ndarray, "i 2"],
    surfaces: Surfaces,
) -> SparseMap:
    """The map with those points that still lie in front of their cameras, reprojection errors and covariances."""
    at = Projector(sparse, seen).linearised(points, poses=False)
    residuals = pixels - at.pixels
    errors = sums(np.hypot(*residuals.T), seen.point, len(points)) / sparse.track_lengths
    is_good = np.isfinite(errors)
    moved = np.where(is_good[:, None], points, sparse.points)
    information = surfaces.normal_equations(moved)[0] if len(surfaces) else None
    return replace(
        sparse,
        points=moved,
        point_errors=np.where(is_good, errors, sparse.point_errors).astype(np.float32),
        point_covariances=_covariances(residuals - offsets[seen.image], at, seen, information, sparse.track_lengths),
        depth_information=None if information is None else upper_triangles(information),
    )


def _covariances(
    residuals: Float64[np.ndarray, "o 2"],
    at: Linearised,
    seen: Observations,
    information: Float64[np.ndarray, "p 3 3"] | None,
    tracks: Int64[np.ndarray, "p"],
) -> Float32[np.ndarray, "p 6"]:
    """(J^T W J / noise + what depth says)^-1, of the measured noise of the weighted residuals.

    Infinite for points that nothing fixes. A point that one keypoint shows says nothing of the noise.
    """
    weights = np.nan_to_num(_weights(residuals))
    shared = tracks[seen.point] > 1
    noise = (
        _noise(residuals[shared], weights[shared], int((tracks > 1).sum())) if shared.any() else KEYPOINT_NOISE_PX**2
    )
    gram = normal_matrices(at, seen, len(tracks), at.by_point * weights[:, None, None])
    return upper_triangles(np.linalg.inv(gram if information is None else gram + noise * information) * noise)


def _noise(residuals: Float64[np.ndarray, "o 2"], weights: Float64[np.ndarray, "o"], count: int) -> float:
    """The variance of keypoints, px^2, from the residuals of so many points."""
    freedom = max(1 - 1.5 * count / len(residuals), 0.1)  # of its observations' 2 numbers each, a point takes 3
    return float(np.nansum(weights * (residuals**2).sum(1)) / (2 * weights.sum() * freedom))
