"""How much a photo looks like a synthesized view, by dense descriptors (InLoc's DensePV, Taira et al., CVPR 2018)."""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float32, UInt8
from ..data.view import ViewSimilarity
from ..retrieval.dense_sift import CELLS, root_sift_grid
from .view_synthesis import SynthesizedView

CELL_SIZE, STEP = 4, 4
"""px of the reduced photo; patches are four cells wide"""
KNOWN = 0.9
"""of a patch's pixels, the part that has to be known"""
FILLED_BY = 2.0
"""px; standard deviation of the weights of neighbours that fill pixels that are not known"""


def view_similarity(photo: UInt8[np.ndarray, "h w"], view: SynthesizedView) -> ViewSimilarity:
    """How much a photo looks like a view of its size."""
    likeness = likeness_of_patches(photo, view)
    compared = likeness[np.isfinite(likeness)]
    if not len(compared):
        return ViewSimilarity(0.0, 0.0)
    return ViewSimilarity(min(float(np.median(compared)), 1.0), len(compared) / likeness.size)


def likeness_of_patches(photo: UInt8[np.ndarray, "h w"], view: SynthesizedView) -> Float32[np.ndarray, "rows columns"]:
    """How much each patch of a photo looks like that of a view of its size, 0 to 1; NaN for those not compared.

    Compared are patches in which the photo has contrast and the view is known; RootSIFT does not see their brightness
    and contrast. A patch of the view without contrast is unlike it.
    """
    own, seen = (root_sift_grid(pixels, CELL_SIZE, STEP) for pixels in (photo, _without_holes(view)))
    likeness: Float32[np.ndarray, "rows columns"] = (own * seen).sum(axis=2)
    if likeness.size:
        likeness[~(own.any(axis=2) & _is_known(view.is_known, own.shape[:2]))] = np.nan
    return likeness


def _is_known(is_known: Bool[np.ndarray, "h w"], grid: tuple[int, int]) -> Bool[np.ndarray, "rows columns"]:
    """Whether enough of each patch is known."""
    import cv2

    span = CELLS * CELL_SIZE
    shares = cv2.boxFilter(is_known.astype(np.float32), -1, (span, span), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    known: Bool[np.ndarray, "rows columns"] = shares[::STEP, ::STEP][: grid[0], : grid[1]] >= KNOWN
    return known


def _without_holes(view: SynthesizedView) -> UInt8[np.ndarray, "h w"]:
    """The view, pixels that are not known filled from their neighbours, as holes would be edges."""
    import cv2

    weight = view.is_known.astype(np.float32)
    blurred, weights = (cv2.GaussianBlur(x, (0, 0), FILLED_BY) for x in (weight * view.pixels, weight))
    filled = blurred / np.maximum(weights, np.finfo(np.float32).tiny)
    return np.where(view.is_known, view.pixels, filled.round().astype(np.uint8))
