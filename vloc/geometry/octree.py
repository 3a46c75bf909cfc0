"""Points into cubes of a grid that all scenes share: a cube that holds too many falls into its eight parts."""

from __future__ import annotations

import math

import numpy as np

from ..array_types import Float64, Int64

SMALLEST = 2.0**-10
"""the side of a cube that is not divided any more, whatever it holds"""


def cubes(points: Float64[np.ndarray, "n 3"], capacity: int) -> tuple[list[str], Int64[np.ndarray, "n"]]:
    """Names (side: x, y, z of the cube in sides), in their order, of the largest cubes with at most `capacity` points.

    And the cube of each point. Sides are powers of two, so points that are added elsewhere change nothing here.
    """
    side = 2.0 ** math.ceil(math.log2(max(np.abs(points).max(initial=0.0), 1.0)))
    names, left = np.full(len(points), "", object), np.arange(len(points))
    while len(left):
        cells = np.floor(points[left] / side).astype(np.int64)
        found, which, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        whole = (counts <= capacity)[which] | (side <= SMALLEST)
        labels = np.array([f"{side:g}: {x}, {y}, {z}" for x, y, z in found.tolist()], object)
        names[left[whole]] = labels[which[whole]]
        left, side = left[~whole], side / 2
    ordered, cube = np.unique(names.astype(str), return_inverse=True)
    return ordered.tolist(), cube
