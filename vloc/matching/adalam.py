"""Nearest neighbours that move like those around them: AdaLAM, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.features import LocalFeatures, Matches
from ..errors import ExtraMissingError
from ..runtime import Runtime
from .base import MATCHERS, ImageSize, PairMatcher
from .nearest_neighbour import LoadedNearestNeighbour, NearestNeighbour, Prepared, common_unit
from .similarity import Neighbours

if TYPE_CHECKING:
    from torch import Tensor

RANSAC_ITERATIONS = 128
LARGEST_ZOOM = 5
"""motions that enlarge or reduce more are none (its authors' detected_scale_rate_threshold)"""
LEAST_SQUARED = 1e-3
"""squared distances of second best neighbours count as so large at least (its authors' code)"""


@dataclass(frozen=True, eq=False)
class PreparedPlaces:
    """An image's descriptors, where they are, and its size."""

    descriptors: Prepared
    places: Float32[np.ndarray, "n 2"]
    size: ImageSize


@MATCHERS.register("adalam")
@dataclass(frozen=True)
class AdaLam:
    """Nearest neighbours that agree with those around them on an affine motion (Cavalli et al., AdaLAM, ECCV 2020).

    It needs no weights, and of any local feature only positions and descriptors. Nothing is random. A keypoint of the
    second image can be matched with several of the first. Memory grows with the square of the keypoints.
    """

    plugin_name: ClassVar[str]

    area_ratio: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    """image area over that of the circle in which the clearest match decides where a motion is looked for"""
    search_expansion: Annotated[float, msgspec.Meta(ge=1)] = 4.0
    """the circle in which matches take part in a motion is so many times as wide"""
    min_inliers: Annotated[int, msgspec.Meta(ge=3)] = 6
    """fewest matches that make a motion"""
    min_confidence: Annotated[float, msgspec.Meta(gt=1)] = 200.0
    """a motion must have so many times the matches that chance would give it"""

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher; there is nothing to read."""
        try:
            from kornia.feature.adalam import AdalamFilter
        except ImportError as error:
            raise ExtraMissingError("adalam", "learned", error) from None
        return LoadedAdaLam(self, AdalamFilter(self._config()))

    def _config(self) -> dict[str, Any]:
        import torch

        return {
            "area_ratio": self.area_ratio,
            "search_expansion": self.search_expansion,
            "ransac_iters": RANSAC_ITERATIONS,
            "min_inliers": self.min_inliers,
            "min_confidence": self.min_confidence,
            "orientation_difference_threshold": None,
            "scale_rate_threshold": None,
            "detected_scale_rate_threshold": LARGEST_ZOOM,
            "refit": True,
            "force_seed_mnn": True,
            "device": torch.device("cpu"),
        }


class LoadedAdaLam:
    """`AdaLam` at work."""

    def __init__(self, settings: AdaLam, filter_: Any) -> None:
        self._settings, self._filter = settings, filter_
        self._nearest = LoadedNearestNeighbour(NearestNeighbour())

    def prepare(self, features: LocalFeatures, size: ImageSize) -> PreparedPlaces:
        """Descriptors in float32 and positions."""
        return PreparedPlaces(self._nearest.prepare(features, size), features.keypoints.copy(), size)

    def match(self, first: PreparedPlaces, second: PreparedPlaces) -> Matches:
        """Matches by rising keypoint of the first image, none where no motion is found; scores are cosines."""
        unit = common_unit(first.descriptors, second.descriptors)
        if min(len(first.places), len(second.places)) < self._settings.min_inliers:
            return Matches.none()
        found = self._nearest.neighbours(first.descriptors, second.descriptors)
        rows = self._moving_alike(first, second, found, unit)
        indices = np.stack([rows, found.best[rows]], axis=1).astype(np.uint32)
        return Matches(indices, found.products[rows] / np.float32(unit))

    def _moving_alike(
        self, first: PreparedPlaces, second: PreparedPlaces, found: Neighbours, unit: float
    ) -> np.ndarray:
        """The keypoints of the first image whose nearest neighbours agree, rising."""
        import torch

        indices, chance = self._filter.filter_matches(
            torch.from_numpy(first.places),
            torch.from_numpy(second.places),
            putative_matches=torch.from_numpy(found.best),
            scores=torch.from_numpy(_squared_ratios(found, unit)),
            mnn=torch.from_numpy(found.products == found.column_maxima[found.best]),
            im1shape=first.size,
            im2shape=second.size,
            return_dist=True,
        )
        # Where no motion is found, kornia gives what a ratio test passes, with the ratio for the part of chance.
        return self._accepted(indices, chance)

    def _accepted(self, indices: Tensor, chance: Tensor) -> np.ndarray:
        rows: np.ndarray = indices[chance[:, 0] <= 1 / self._settings.min_confidence, 0].numpy()
        return rows


def _squared_ratios(found: Neighbours, unit: float) -> Float32[np.ndarray, "n"]:
    """Squared distances of the best neighbours over those of the second best, of unit descriptors."""
    best, second = (np.maximum(2 - 2 * x / np.float32(unit), 0) for x in (found.products, found.runners_up))
    ratios: np.ndarray = (best / np.maximum(second, np.float32(LEAST_SQUARED))).astype(np.float32)
    return ratios
