"""The best and second best product of every row among the columns near its epipolar line.

Rows and columns are taken by their angle around the baseline, so that the candidates of neighbouring rows lie together:
one small matrix product a block of rows, of which the rays decide what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..array_types import Bool, Float32, Int64
from ..geometry.half_planes import HalfPlanes
from .similarity import Neighbours

BLOCK_COST = 8192
"""products that take as long as the calls for one block"""
LEVEL = 4.0
"""rows share blocks with rows of bands at most so many times as wide"""


class Side(NamedTuple):
    """One image in the order of its angles; keypoints without a ray left out."""

    keypoints: Int64[np.ndarray, "m"]
    descriptors: Float32[np.ndarray, "m d"]
    across: Float32[np.ndarray, "m 2"]
    along: Float32[np.ndarray, "m"]
    limits: Float32[np.ndarray, "m"]


def search_bands(
    first: Float32[np.ndarray, "n d"],
    second: Float32[np.ndarray, "k d"],
    planes: tuple[HalfPlanes, HalfPlanes],
) -> Neighbours:
    """Compare the rows of both. Without a candidate a product is minus infinity, and the best column means nothing."""
    levels = _levels(planes[0].half_widths)
    rows, columns = _side(first, planes[0], levels), _side(second, planes[1])
    found = _nothing(len(first), len(second))
    if not len(rows.keypoints) or not len(columns.keypoints):
        return found
    starts, stops = _ranges(planes[0], rows.keypoints, planes[1].angles[columns.keypoints])
    maxima = np.full(len(columns.keypoints), -np.inf, np.float32)
    for block in _blocks(levels[rows.keypoints], len(columns.keypoints)):
        start, stop = int(starts[block].min()), int(stops[block].max())
        if start == stop:
            continue
        chosen = _columns(start, stop, len(columns.keypoints))
        products = rows.descriptors[block] @ columns.descriptors[chosen].T  # (rows, k) = (rows, d) @ (d, k)
        np.copyto(products, -np.inf, where=_refused(rows, columns, block, chosen))
        maxima[chosen] = np.maximum(maxima[chosen], products.max(axis=0))
        own = rows.keypoints[block]
        best, found.products[own], found.runners_up[own] = _two_best(products)
        found.best[own] = columns.keypoints[chosen][best]
    found.column_maxima[columns.keypoints] = maxima
    return found


def _nothing(rows: int, columns: int) -> Neighbours:
    least = [np.full(count, -np.inf, np.float32) for count in (rows, rows, columns)]
    return Neighbours(np.zeros(rows, np.int64), *least)


def _levels(half_widths: np.ndarray) -> Int64[np.ndarray, "n"]:
    """Rows by the width of their bands: those near an epipole have wide ones, and few candidates to share."""
    with np.errstate(invalid="ignore"):
        steps = np.log(half_widths / np.nanmin(half_widths, initial=np.pi)) / np.log(LEVEL)
    return np.nan_to_num(steps, nan=0).astype(np.int64)


def _side(descriptors: np.ndarray, planes: HalfPlanes, levels: np.ndarray | None = None) -> Side:
    order = np.argsort(planes.angles) if levels is None else np.lexsort((planes.angles, levels))
    order = order[np.isfinite(planes.along[order])]
    parts = (x[order].astype(np.float32) for x in (planes.across, planes.along, planes.limits))
    return Side(order, descriptors[order], *parts)


def _ranges(planes: HalfPlanes, keypoints: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of each row's band, counted on round the circle: from start to stop, with columns + k the same."""
    turns = np.concatenate([angles - 2 * np.pi, angles, angles + 2 * np.pi])
    middle, width = planes.angles[keypoints], planes.half_widths[keypoints]
    return np.searchsorted(turns, middle - width, "left"), np.searchsorted(turns, middle + width, "right")


def _blocks(levels: np.ndarray, columns: int) -> Iterator[slice]:
    """Rows, sorted by level, so many at a time that what they share beyond their own bands costs as much as a block."""
    bounds = [*np.unique(levels, return_index=True)[1], len(levels)]
    for start, stop in pairwise(bounds):
        size = max(round((BLOCK_COST * (stop - start) / columns) ** 0.5), 1)
        for first in range(start, stop, size):
            yield slice(first, min(first + size, stop))


def _columns(start: int, stop: int, count: int) -> slice | np.ndarray:
    """A range on the circle as columns: a slice unless it passes the cut."""
    stop = min(stop, start + count)
    if start // count == max(stop - 1, start) // count:
        return slice(start % count, start % count + stop - start)
    return np.arange(start, stop) % count


def _refused(rows: Side, columns: Side, block: slice, chosen: slice | np.ndarray) -> Bool[np.ndarray, "rows k"]:
    """Where rays do not meet in front of both within the distance."""
    x, y = rows.across[block].T[:, :, None]
    u, v = columns.across[chosen].T
    apart = np.abs(x * v - y * u)
    refused = apart > np.minimum(rows.limits[block, None], columns.limits[chosen])
    refused |= rows.along[block, None] <= columns.along[chosen]
    refused |= x * u + y * v < 0  # opposite half-planes
    return refused


def _two_best(products: Float32[np.ndarray, "rows k"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    every = np.arange(len(products))
    best = products.argmax(axis=1)
    most = products[every, best]
    products[every, best] = -np.inf
    return best, most, products.max(axis=1)
