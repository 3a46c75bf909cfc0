"""SIFT descriptors on a regular grid at several scales, for retrieval."""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float32, UInt8

ORIENTATIONS = 8
CELLS = 4
"""spatial cells a side"""
DIMS = CELLS * CELLS * ORIENTATIONS
SMOOTHING = 0.8
"""standard deviation, px, of the blur before gradients are taken"""
WINDOW = 2.0
"""standard deviation, in cells, of the Gaussian that weighs cells by their distance from the centre"""
MIN_GRADIENT = 0.5
"""grey levels a pixel, averaged over the patch: what is flatter is noise and is left out"""


def dense_root_sift(
    image: UInt8[np.ndarray, "h w"], cell_sizes: tuple[int, ...], step: int
) -> Float32[np.ndarray, "n 128"]:
    """Unit RootSIFT descriptors of every patch of CELLS x CELLS cells on a grid, upright.

    `cell_sizes` and `step` in px. As VLFeat's `dsift` (bilinear cells, Gaussian window), but with gradients of one
    blur for all scales. Patches without contrast are left out, so a blank image has none.
    """
    channels = _orientation_channels(image)
    grids = (_cell_grid(_cell_sums(channels, size), size, step) for size in cell_sizes)
    return np.concatenate([_roots(grid.reshape(-1, DIMS)) for grid in grids])


def root_sift_grid(
    image: UInt8[np.ndarray, "h w"], cell_size: int, step: int
) -> Float32[np.ndarray, "rows columns 128"]:
    """The same descriptors of one size where they are on the grid; those of patches without contrast are 0."""
    grid = _cell_grid(_cell_sums(_orientation_channels(image), cell_size), cell_size, step)
    roots: Float32[np.ndarray, "rows columns 128"] = np.zeros_like(grid)
    roots[_has_contrast(grid)] = _roots(grid.reshape(-1, DIMS))
    return roots


def _roots(histograms: Float32[np.ndarray, "n 128"]) -> Float32[np.ndarray, "some 128"]:
    """RootSIFT of those with contrast."""
    roots = histograms[_has_contrast(histograms)]
    roots /= (roots @ np.ones(DIMS, np.float32))[:, None]
    return np.sqrt(roots, out=roots)


def _has_contrast(histograms: Float32[np.ndarray, "*n 128"]) -> Bool[np.ndarray, "*n"]:
    """Whether patches show more than noise."""
    has_contrast: Bool[np.ndarray, "*n"] = histograms @ np.ones(DIMS, np.float32) > MIN_GRADIENT
    return has_contrast


def _orientation_channels(image: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 8"]:
    """Gradient magnitude, shared linearly between the two nearest of eight directions."""
    import cv2

    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    magnitude, angle = cv2.cartToPolar(dx, dy)
    position = angle.ravel() * np.float32(ORIENTATIONS / (2 * np.pi))
    lower = position.astype(np.int32)
    upper_part = (position - lower) * magnitude.ravel()
    flat = np.zeros((image.size, ORIENTATIONS), np.float32)
    first = np.arange(image.size) * ORIENTATIONS
    flat.ravel()[first + (lower + 1) % ORIENTATIONS] = upper_part
    flat.ravel()[first + lower % ORIENTATIONS] = magnitude.ravel() - upper_part
    return flat.reshape(*image.shape, ORIENTATIONS)


def _cell_sums(channels: Float32[np.ndarray, "h w 8"], size: int) -> Float32[np.ndarray, "h w 8"]:
    """Mean gradient around every pixel under a triangle of twice the cell's width: bilinear sharing between cells."""
    import cv2

    triangle = 1 - np.abs(np.arange(1 - size, size, dtype=np.float32)) / size
    triangle /= triangle.sum()
    sums: Float32[np.ndarray, "h w 8"] = cv2.sepFilter2D(channels, cv2.CV_32F, triangle, triangle)
    return sums


def _cell_grid(cells: Float32[np.ndarray, "h w 8"], size: int, step: int) -> Float32[np.ndarray, "rows columns 128"]:
    """Weighted cells around every grid point whose patch lies inside the image."""
    height, width, _ = cells.shape
    span = CELLS * size
    rows, columns = (max((extent - span) // step + 1, 0) for extent in (height, width))
    distances = (np.arange(CELLS) - (CELLS - 1) / 2) / WINDOW
    weights = np.exp(-0.5 * distances**2).astype(np.float32)
    weights /= weights.sum()
    grid = np.empty((rows, columns, CELLS, CELLS, ORIENTATIONS), np.float32)
    for i in range(CELLS):
        for j in range(CELLS):
            y, x = i * size + size // 2, j * size + size // 2
            taken = cells[y::step, x::step][:rows, :columns]
            np.multiply(taken, weights[i] * weights[j], out=grid[:, :, i, j])
    return grid.reshape(rows, columns, DIMS)
