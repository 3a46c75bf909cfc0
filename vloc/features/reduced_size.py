"""Looking at an image at a reduced size, as large photos need: SIFT takes 230 bytes of memory for each pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..array_types import Shaped
from ..data.features import LocalFeatures
from .base import Extractor


def reduced(image: Shaped[np.ndarray, "h w *c"], longer_side: int) -> Shaped[np.ndarray, "small_h small_w *c"]:
    """The image with its longer side at most `longer_side` px, each new pixel the mean of those under it."""
    import cv2

    height, width = image.shape[:2]
    scale = longer_side / max(height, width)
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small: Shaped[np.ndarray, "small_h small_w *c"] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small


def at_reduced_size(extract: Extractor, longer_side: int) -> Extractor:
    """The extractor run on reduced images, its keypoints and their scales given in pixels of the original."""

    def extract_reduced(image: np.ndarray) -> LocalFeatures:
        small = reduced(image, longer_side)
        features = extract(small)
        # Both sizes measure from the image's corner, so there is no half pixel to mind.
        scale = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]], np.float32)
        return replace(features, keypoints=features.keypoints * scale, scales=features.scales * scale.prod() ** 0.5)

    return extract_reduced
