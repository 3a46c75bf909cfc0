"""What SIFT's detectors share: RootSIFT descriptors in bytes, and the order of keypoints."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, Int64, UInt8
from ..data.features import LocalFeatures

DIMS = 128
UNIT = 512.0
"""length of a unit descriptor stored in bytes, as in COLMAP: components above 255 / 512 are cut"""


def root_sift(histograms: UInt8[np.ndarray, "n 128"]) -> UInt8[np.ndarray, "n 128"]:
    """Square roots of L1-normalised histograms, which are unit vectors, times 512 (Arandjelovic & Zisserman 2012)."""
    sums = np.maximum(histograms.sum(axis=1, dtype=np.float32), 1)
    roots = np.sqrt(histograms * (UNIT * UNIT / sums)[:, None])
    rounded: UInt8[np.ndarray, "n 128"] = np.minimum(np.rint(roots), 255).astype(np.uint8)
    return rounded


def no_features() -> LocalFeatures:
    """What a blank image has."""
    nothing = np.zeros(0, np.float32)
    return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, DIMS), np.uint8), nothing, nothing, angles=nothing)


def strongest(
    keypoints: Float32[np.ndarray, "n 2"], scores: Float32[np.ndarray, "n"], max_keypoints: int
) -> Int64[np.ndarray, "k"]:
    """Rows of at most `max_keypoints` keypoints by falling score; equal ones by x, y and then as they came."""
    return np.lexsort((keypoints[:, 1], keypoints[:, 0], -scores))[:max_keypoints]
