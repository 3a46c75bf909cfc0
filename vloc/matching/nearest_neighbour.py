"""Exact nearest neighbours by cosine similarity: mutual, by ratio, by distance."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec
import numpy as np

from ..array_types import Bool, Float32, Int64
from ..data.features import LocalFeatures, Matches
from ..errors import DataError, ExtraMissingError
from ..runtime import Runtime
from .base import MATCHERS, ImageSize, PairMatcher
from .byte_search import ByteSearch
from .similarity import Neighbours, SimilaritySearch

BYTE_UNIT = 512.0
"""length of the unit vectors that features store in bytes"""


@runtime_checkable
class Descriptors(Protocol):
    """Those of one image, wherever they lie."""

    @property
    def rows(self) -> Any:
        """(n, d) numbers."""
        ...

    @property
    def unit(self) -> float:
        """The length of a row."""
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """Descriptors of one image, of length `unit`.

    Bytes stay whole numbers: their products are exact in float32, so no order of summation changes a match.
    """

    rows: Float32[np.ndarray, "n d"]
    unit: float


@MATCHERS.register("nn")
@dataclass(frozen=True)
class NearestNeighbour:
    """Every keypoint's most similar one in the other image, where that is beyond doubt.

    Distances are those of unit descriptors, sqrt(2 - 2 cos), from 0 to 2.
    """

    plugin_name: ClassVar[str]

    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8
    """the best distance must be under this part of the second best (Lowe, IJCV 2004); 1 takes all"""
    mutual: bool = True
    """whether each must be the other's most similar one"""
    max_distance: Annotated[float, msgspec.Meta(ge=0, le=2)] = 2.0
    """largest distance of a match; 2 takes all"""
    product: Literal["float32", "int8"] = "float32"
    """of two images' descriptors; int8: of descriptors stored in bytes (SIFT), the same matches in less time on
    processors that multiply bytes (extra learned)"""

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher; on the GPU with `--device cuda` alone, since looking for one takes as long as many pairs."""
        if runtime.device != "cuda":
            return LoadedNearestNeighbour(self)
        try:
            from ..networks.loading import device_of
        except ImportError as error:
            raise ExtraMissingError("device 'cuda'", "learned", error) from None
        from .device_search import DeviceNearestNeighbour

        return DeviceNearestNeighbour(self, device_of(runtime))


class LoadedNearestNeighbour:
    """`NearestNeighbour` at work; every thread has a buffer of its own."""

    def __init__(self, settings: NearestNeighbour) -> None:
        self._settings = settings
        self._threads = threading.local()
        self._made = ByteSearch if settings.product == "int8" else SimilaritySearch
        self._threads.search = self._made()  # here, so that what is missing is told before any pair

    def prepare(self, features: LocalFeatures, size: ImageSize) -> Prepared:
        """Descriptors in float32; where keypoints lie is not asked."""
        return prepared(features)

    def match(self, first: Prepared, second: Prepared) -> Matches:
        """Matches by rising keypoint of the first image; of equally similar ones the first counts.

        Where the second image has a single keypoint there is no second best, and any ratio is met.
        """
        unit = common_unit(first, second)
        if not len(first.rows) or not len(second.rows):
            return Matches.none()
        return clear_matches(self.neighbours(first, second), unit, self._settings)

    def neighbours(self, first: Prepared, second: Prepared) -> Neighbours:
        """The most similar keypoint of the second image to each of the first; neither may be empty."""
        if self._settings.product == "int8" and BYTE_UNIT not in (first.unit, second.unit):
            raise DataError("product=int8: descriptors are floats, whose matches would be others: choose float32")
        return self._search(first.rows.T, second.rows.T)

    @property
    def _search(self) -> SimilaritySearch:
        if not hasattr(self._threads, "search"):
            self._threads.search = self._made()
        search: SimilaritySearch = self._threads.search
        return search


def prepared(features: LocalFeatures) -> Prepared:
    """Descriptors in float32: bytes as they are, anything else scaled to unit length."""
    stored = features.descriptors
    if stored.dtype == np.uint8:
        return Prepared(np.ascontiguousarray(stored, dtype=np.float32), BYTE_UNIT)
    if stored.dtype.kind != "f":
        raise DataError(f"descriptors of type {stored.dtype}, expected uint8 or floating point: extract them again")
    return Prepared(_unit_rows(stored), 1.0)


def common_unit(first: Descriptors, second: Descriptors) -> float:
    """The product of two equal descriptors; DataError where the two images' cannot be compared."""
    dims, others = first.rows.shape[1], second.rows.shape[1]
    if dims != others or first.unit != second.unit:
        kinds = [f"{d} {'bytes' if p.unit == BYTE_UNIT else 'floats'}" for d, p in ((dims, first), (others, second))]
        raise DataError(f"descriptors of {kinds[0]} cannot match those of {kinds[1]}: use one feature for both images")
    return first.unit * second.unit


def clear_matches(found: Neighbours, unit: float, settings: NearestNeighbour) -> Matches:
    """The neighbours that are mutual and clear; products are of descriptors whose equals have the product `unit`."""
    best, products, runners_up, column_maxima = found
    rows = _mutual_rows(best, products == column_maxima[best]) if settings.mutual else np.arange(len(best))
    cosines, second_cosines = (x[rows] / np.float32(unit) for x in (products, runners_up))
    kept = _is_clear(cosines, second_cosines, settings)
    indices = np.stack([rows[kept], best[rows[kept]]], axis=1).astype(np.uint32)
    return Matches(indices, cosines[kept])


def _is_clear(
    best: Float32[np.ndarray, "m"], second: Float32[np.ndarray, "m"], settings: NearestNeighbour
) -> Bool[np.ndarray, "m"]:
    best_squared, second_squared = (np.maximum(2 - 2 * x.astype(np.float64), 0) for x in (best, second))
    is_clear = best_squared <= settings.max_distance**2
    if settings.ratio < 1:
        is_clear &= best_squared < settings.ratio**2 * second_squared
    return is_clear


def _unit_rows(stored: np.ndarray) -> Float32[np.ndarray, "n d"]:
    rows = stored.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise DataError("descriptors that are not finite numbers: extract them again")
    unit: np.ndarray = rows / np.where(lengths > 0, lengths, 1)
    return unit


def _mutual_rows(best: Int64[np.ndarray, "n"], is_mutual: Bool[np.ndarray, "n"]) -> Int64[np.ndarray, "m"]:
    rows = np.flatnonzero(is_mutual)
    return np.sort(rows[np.unique(best[rows], return_index=True)[1]])  # several rows may tie for one column
