"""Depth maps at keypoints: the plane of the surface that a keypoint shows, and points on it.

On a plane a X + b Y + c Z = 1 (camera axes) the inverse depth is linear in the image: 1/z = a x/z + b y/z + c. So depth
is interpolated in its inverse, which is right on every plane, and gives the plane with it.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float32, Float64
from .camera import Camera
from .projection import distortion_jacobian, project

NOISE_SHARE, OF_NOISE = 0.8, 2.65
"""this part of a map's bends is noise, and so are those up to so many times as large: 3.4 standard deviations of
normal noise; a median would not do, as most bends of depth in coarse steps are 0"""
BEND_OF_NOISE = 1.2816 * 6**0.5
"""standard deviations of normal noise of single pixels that the usual bend is, of (1, -2, 1) and by NOISE_SHARE"""


def inverse_depth(depth: Float32[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """1/m; NaN where nothing was measured (0, negative, not finite)."""
    valid = np.isfinite(depth) & (depth > 0)
    return np.where(valid, 1 / np.where(valid, depth, 1).astype(np.float64), np.nan)


def smooth_and_noise(inverse: Float64[np.ndarray, "h w"], max_bend: float) -> tuple[Bool[np.ndarray, "h w"], float]:
    """Where a pixel lies on a line with its neighbours, in both directions: inverse depth bends by no more than noise.

    `max_bend`: the second difference, relative to the value itself, that always passes; one that is as large as
    others of the map passes too, for sensors are noisy. False beside pixels without depth, whose edges are unsure.
    With it the noise's standard deviation, 1/m; 0 in a map without any depth.
    """
    bends = [_bend(inverse), _bend(inverse.T).T]
    known = np.concatenate([bend[np.isfinite(bend)] for bend in bends])
    usual = float(np.quantile(known, NOISE_SHARE)) if len(known) else 0.0
    limit = np.maximum(max_bend * inverse, OF_NOISE * usual)
    return np.asarray((bends[0] <= limit) & (bends[1] <= limit)), usual / BEND_OF_NOISE


def _bend(inverse: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """Second differences along the rows, absolute; 0 at the ends of a row where there is a value."""
    bend = np.where(np.isfinite(inverse), 0.0, np.nan)
    bend[:, 1:-1] = np.abs(inverse[:, :-2] - 2 * inverse[:, 1:-1] + inverse[:, 2:])
    return bend


def planes_at(
    depth: Float32[np.ndarray, "h w"], camera: Camera, rays: Float64[np.ndarray, "n 2"], max_bend: float
) -> Float64[np.ndarray, "n 3"]:
    """The planes (a, b, c), 1/m, of the surfaces that rays (x/z, y/z) meet, from the four pixels around each.

    `depth`: metres along the optical axis of `camera`, whose pixels they are. NaN outside of the map, at its edges in
    depth and where nothing was measured. How planes tilt is believed as far as the map's noise leaves it to be.
    """
    inverse = inverse_depth(depth)
    x, y = rays.T
    pixels = project(camera, np.stack([x, y, np.ones(len(x))], axis=1))
    inside = ((pixels >= 0) & (pixels <= [camera.width, camera.height])).all(axis=1)
    # The first pixel is centred at (0.5, 0.5). Outside of the outermost centres the last two go on in a line.
    corner = np.clip(np.floor(np.nan_to_num(pixels) - 0.5).astype(int), 0, [camera.width - 2, camera.height - 2])
    (column, row), (right, down) = corner.T, (pixels - 0.5 - corner).T
    smooth, noise = smooth_and_noise(inverse, max_bend)
    q00, q01, q10, q11 = (inverse[row + i, column + j] for i in (0, 1) for j in (0, 1))
    usable = inside & np.logical_and.reduce([smooth[row + i, column + j] for i in (0, 1) for j in (0, 1)])
    by_column = (1 - down) * (q01 - q00) + down * (q11 - q10)
    by_row = (1 - right) * (q10 - q00) + right * (q11 - q01)
    value = (1 - down) * ((1 - right) * q00 + right * q01) + down * ((1 - right) * q10 + right * q11)
    tilt = np.einsum("kn,kln->ln", np.stack([by_column, by_row]), distortion_jacobian(camera, x, y))
    slope = _shrinkage(value / np.mean(camera.focal), noise) * tilt
    planes = np.stack([*slope, value - slope[0] * x - slope[1] * y], axis=1)
    return np.where((usable & (value > 0))[:, None], planes, np.nan)


def _shrinkage(usual: Float64[np.ndarray, "n"], noise: float) -> Float64[np.ndarray, "n"]:
    """What is left of differences between neighbours (Wiener): noise would else tell of a tilt that is not there.

    `usual`: how much they do on surfaces inclined by 45 degrees, `noise`: of single pixels; 1/m, standard deviations.
    Of the two differences around a ray the mean, weighed by where it is, has 2/3 of the variance of one on average.
    """
    kept: Float64[np.ndarray, "n"] = usual**2 / (usual**2 + 2 * 2 / 3 * noise**2)
    return kept


def depth_along(planes: Float64[np.ndarray, "n 3"], rays: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n"]:
    """Where rays (x/z, y/z) meet planes, metres along the optical axis; NaN behind the camera."""
    inverse = planes[:, 0] * rays[:, 0] + planes[:, 1] * rays[:, 1] + planes[:, 2]
    return np.divide(1, inverse, out=np.full(len(planes), np.nan), where=inverse > 0)
