"""Matches that are likely seen from both images: dual softmax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32, Int64
from ..data.features import LocalFeatures, Matches
from ..runtime import Runtime
from .base import MATCHERS, ImageSize, PairMatcher
from .nearest_neighbour import Prepared, common_unit, prepared
from .similarity import BLOCK


@MATCHERS.register("dual_softmax")
@dataclass(frozen=True)
class DualSoftmax:
    """Pairs that are each other's likeliest, by a softmax of cosines over both images (as DeDoDe is matched).

    Edstedt et al., DeDoDe, 3DV 2024; first in Rocco et al., NCNet, NeurIPS 2018. Scores are likelihoods.
    """

    plugin_name: ClassVar[str]

    inverse_temperature: Annotated[float, msgspec.Meta(gt=0, le=80)] = 20.0
    """cosines count so many times; the larger, the less their rivals"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    """a pair's likelihood in the first image times that in the second is higher"""

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher; there is nothing to read."""
        return LoadedDualSoftmax(self)


class LoadedDualSoftmax:
    """`DualSoftmax` at work; products are made twice, a block of rows at a time, and never stored whole."""

    def __init__(self, settings: DualSoftmax) -> None:
        self._settings = settings

    def prepare(self, features: LocalFeatures, size: ImageSize) -> Prepared:
        """Descriptors in float32; where keypoints lie is not asked."""
        return prepared(features)

    def match(self, first: Prepared, second: Prepared) -> Matches:
        """Matches by rising keypoint of the first image; of equally likely ones the first counts."""
        unit = common_unit(first, second)
        if not len(first.rows) or not len(second.rows):
            return Matches.none()
        scale = np.float32(self._settings.inverse_temperature / unit)
        totals = _totals(first.rows, second.rows, scale)
        best, likely, column_maxima = _likeliest(first.rows, second.rows, scale, *totals)
        rows = np.flatnonzero((likely == column_maxima[best]) & (likely > self._settings.threshold))
        rows = np.sort(rows[np.unique(best[rows], return_index=True)[1]])  # several rows may tie for one column
        return Matches(np.stack([rows, best[rows]], axis=1).astype(np.uint32), likely[rows])


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    step = max(BLOCK // columns, 1)
    return (slice(start, start + step) for start in range(0, rows, step))


def _totals(
    first: Float32[np.ndarray, "n d"], second: Float32[np.ndarray, "k d"], scale: np.float32
) -> tuple[Float32[np.ndarray, "n"], Float32[np.ndarray, "k"]]:
    """Sums of exp(scale product) over the columns of every row, and over the rows of every column."""
    of_rows, of_columns = np.empty(len(first), np.float32), np.zeros(len(second), np.float32)
    for block in _blocks(len(first), len(second)):
        odds = np.exp(first[block] @ second.T * scale)
        of_rows[block], of_columns = odds.sum(axis=1), of_columns + odds.sum(axis=0)
    return of_rows, of_columns


def _likeliest(
    first: Float32[np.ndarray, "n d"],
    second: Float32[np.ndarray, "k d"],
    scale: np.float32,
    of_rows: Float32[np.ndarray, "n"],
    of_columns: Float32[np.ndarray, "k"],
) -> tuple[Int64[np.ndarray, "n"], Float32[np.ndarray, "n"], Float32[np.ndarray, "k"]]:
    """For every row the likeliest column and how likely it is; for every column the largest likelihood."""
    best, likely = np.empty(len(first), np.int64), np.empty(len(first), np.float32)
    column_maxima = np.zeros(len(second), np.float32)
    for block in _blocks(len(first), len(second)):
        odds = np.exp(first[block] @ second.T * scale)
        odds *= (odds / of_columns) / of_rows[block, None]
        best[block] = odds.argmax(axis=1)
        likely[block] = np.take_along_axis(odds, best[block, None], axis=1)[:, 0]
        np.maximum(column_maxima, odds.max(axis=0), out=column_maxima)
    return best, likely, column_maxima
