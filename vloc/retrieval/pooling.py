"""One vector out of a map of local descriptors, without anything learned.

All take a map (c, h, w) that is nowhere negative, and give c numbers that are not yet of unit length.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Float32

LEVELS = 3
"""of R-MAC's regions: at level l their sides are 2 / (l + 1) of the shorter one"""
OVERLAP = 0.4
"""of neighbouring regions of the largest kind, about"""


def split_signs(dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c2 h w"]:
    """Positive and negative parts as channels of their own, for maps of signed numbers (Shang et al., ICML 2016)."""
    return np.concatenate([np.maximum(dense, 0), np.maximum(-dense, 0)])


def mac(dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
    """Maxima (Tolias et al., ICLR 2016, section 3.1)."""
    largest: Float32[np.ndarray, "c"] = dense.max(axis=(1, 2))
    return largest


def gem(dense: Float32[np.ndarray, "c h w"], power: float) -> Float32[np.ndarray, "c"]:
    """Generalised means: 1 the mean, infinity the maximum (Radenovic et al., TPAMI 2018, eq. 3)."""
    means: Float32[np.ndarray, "c"] = (dense**power).mean(axis=(1, 2)) ** np.float32(1 / power)
    return means


def spoc(dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
    """Sums weighed towards the middle, by a Gaussian of a third of the way to the nearest border.

    Babenko and Lempitsky, ICCV 2015, eq. 2 and 4.
    """
    _, height, width = dense.shape
    y, x = (np.arange(size, dtype=np.float32) - (size - 1) / 2 for size in (height, width))
    sigma = max(min(height, width) / 6, 0.5)
    weights = np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma**2))
    return np.einsum("chw,hw->c", dense, weights)


def crow(dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
    """Sums weighed by how much a place shows and how rare a channel is (Kalantidis et al., ECCV workshops 2016, 4)."""
    sums = dense.sum(axis=0)
    places = np.sqrt(sums / max(float(np.sqrt((sums**2).sum())), np.finfo(np.float32).tiny))
    shares = (dense > 0).mean(axis=(1, 2), dtype=np.float32)
    rareness = np.log(shares.sum() / np.maximum(shares, 1e-6), where=shares > 0, out=np.zeros_like(shares))
    return np.einsum("chw,hw->c", dense, places) * rareness


def rmac(dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
    """The sum of the unit vectors of maxima in overlapping squares of three sizes (Tolias et al., section 3.2)."""
    total = np.zeros(len(dense), np.float32)
    for top, left, side in regions(*dense.shape[1:]):
        largest = mac(dense[:, top : top + side, left : left + side])
        total += largest / max(float(np.linalg.norm(largest)), np.finfo(np.float32).tiny)
    return total


def regions(height: int, width: int) -> list[tuple[int, int, int]]:
    """(top, left, side) of R-MAC's squares: evenly spread, of the largest kind overlapping by about OVERLAP."""
    shorter, longer = min(height, width), max(height, width)
    more = _more_squares(shorter, longer)
    found = []
    for level in range(1, LEVELS + 1):
        side = max(2 * shorter // (level + 1), 1)
        down, across = (level, level + more) if height <= width else (level + more, level)
        tops, lefts = (
            np.linspace(0, size - side, count).astype(int) for size, count in ((height, down), (width, across))
        )
        found += [(top, left, side) for top in tops.tolist() for left in lefts.tolist()]
    return found


def _more_squares(shorter: int, longer: int) -> int:
    """How many squares of the largest kind stand beside the first along the longer side."""
    if shorter == longer:
        return 0
    counts = np.arange(2, 8)
    overlaps = 1 - (longer - shorter) / (counts - 1) / shorter
    return int(np.argmin(np.abs(overlaps - OVERLAP))) + 1
