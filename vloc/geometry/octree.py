"""Points into cubes of a grid that all scenes share: a cube that holds too many falls into its eight parts."""

from __future__ import annotations

import math

import numpy as np

from ..array_types import Float64, Int64

SMALLEST = 2.0**-10
"""the side of a cube that is not divided any more, whatever it holds"""
FEW = 0.25
"""of the capacity; cubes that hold less make no neighbourhoods"""


def cubes(points: Float64[np.ndarray, "n 3"], capacity: int) -> tuple[list[str], Int64[np.ndarray, "n"]]:
    """Names (side: x, y, z of the cube in sides), in their order, of the largest cubes with at most `capacity` points.

    And the cube of each point. Sides are powers of two, so points that are added elsewhere change nothing here. So few
    points that they fit into one cube are all in one, wherever they are.
    """
    if len(points) <= capacity:
        return ["all"][: len(points)], np.zeros(len(points), np.int64)
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


def neighbourhoods(points: Float64[np.ndarray, "n 3"], capacity: int) -> tuple[list[str], Int64[np.ndarray, "n"]]:
    """As `cubes`, but the points of cubes that hold few are with those that are nearest to them elsewhere."""
    names, cube = cubes(points, capacity)
    few = (np.bincount(cube) < capacity * FEW)[cube]
    if few.any() and not few.all():
        cube[few] = cube[~few][_nearest(points[few], points[~few])]
    kept, cube = np.unique(cube, return_inverse=True)
    return [names[row] for row in kept.tolist()], cube


def _nearest(points: Float64[np.ndarray, "n 3"], others: Float64[np.ndarray, "m 3"]) -> Int64[np.ndarray, "n"]:
    """The nearest of the others to each point, some points at a time."""
    parts = np.array_split(points, -(-len(points) // 256))
    return np.concatenate([((part[:, None] - others) ** 2).sum(2).argmin(1) for part in parts])
