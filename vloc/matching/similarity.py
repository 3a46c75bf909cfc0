"""The best and second best product of every row of a matrix product that is never stored whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import numpy as np

from ..array_types import Float32, Int64

Multiply = Callable[[slice, np.ndarray], None]
"""writes the products of some rows of the first with all of the second to the first columns of memory (rows, width)"""

BLOCK = 2**20
"""products at a time: 4 MB, which stay in the cache for the passes over them"""
LANES = 256
"""a row is folded to this width before its maximum is looked for, so that folding is vectorised"""


class Neighbours(NamedTuple):
    """For every row the first best column, its product and the next best product; for every column the best."""

    best: Int64[np.ndarray, "n"]
    products: Float32[np.ndarray, "n"]
    runners_up: Float32[np.ndarray, "n"]
    column_maxima: Float32[np.ndarray, "k"]


class SimilaritySearch:
    """Searches with one buffer, kept between calls: fresh memory costs as much as the search. One a thread."""

    kind: ClassVar[type] = np.float32
    """of the products while they are searched"""
    least: ClassVar[float] = -np.inf
    """less than any product"""

    def __init__(self) -> None:
        self._memory: np.ndarray = np.empty(0, self.kind)

    def __call__(self, first: Float32[np.ndarray, "d n"], second: Float32[np.ndarray, "d k"]) -> Neighbours:
        """Compare the columns of both, neither empty."""
        n, k = first.shape[1], second.shape[1]
        found = Neighbours(
            np.empty(n, np.int64), np.empty(n, np.float32), np.empty(n, np.float32), np.full(k, -np.inf, np.float32)
        )
        buffer, multiply = self._buffer(k), self.multiplier(first, second)
        for start in range(0, n, len(buffer)):
            rows = slice(start, min(start + len(buffer), n))
            block = buffer[: rows.stop - start]
            multiply(rows, block)
            np.maximum(found.column_maxima, block[:, :k].max(axis=0), out=found.column_maxima)
            found.best[rows], found.products[rows], found.runners_up[rows] = _two_best(block, self.least)
        return found

    def multiplier(self, first: Float32[np.ndarray, "d n"], second: Float32[np.ndarray, "d k"]) -> Multiply:
        """What gives the products of columns."""

        def multiply(rows: slice, block: Float32[np.ndarray, "rows width"]) -> None:
            np.matmul(first[:, rows].T, second, out=block[:, : second.shape[1]])  # (rows, k) = (rows, d) @ (d, k)

        return multiply

    def _buffer(self, k: int) -> np.ndarray:
        width = padded_width(k)
        rows = max(BLOCK // width, 1)
        if self._memory.size < rows * width:
            self._memory = np.empty(rows * width, self.kind)
        buffer = self._memory[: rows * width].reshape(rows, width)
        buffer[:, k:] = self.least
        return buffer


def padded_width(k: int) -> int:
    """Columns of memory for k products, a multiple of the lanes."""
    return -(-k // LANES) * LANES


def _two_best(block: np.ndarray, least: float) -> tuple[Int64[np.ndarray, "rows"], np.ndarray, np.ndarray]:
    rows = np.arange(len(block))
    folded = block.reshape(len(block), -1, LANES)  # column = fold * LANES + lane
    lane_maxima = folded.max(axis=1)
    lane = lane_maxima.argmax(axis=1)
    in_lane = folded[rows, :, lane]
    fold = in_lane.argmax(axis=1)
    best, products = fold * LANES + lane, in_lane[rows, fold]
    in_lane[rows, fold] = least
    lane_maxima[rows, lane] = in_lane.max(axis=1)
    runners_up = lane_maxima.max(axis=1)
    ties = np.flatnonzero(runners_up == products)
    best[ties] = block[ties].argmax(axis=1)  # lanes are not in the order of columns
    return best, products, runners_up
