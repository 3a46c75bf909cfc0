"""Nearest neighbours among the keypoints near the epipolar line, where both poses are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.features import LocalFeatures, Matches
from ..geometry.half_planes import PosedRays, half_planes
from ..runtime import Runtime
from .band_search import search_bands
from .base import MATCHERS, PosedPairMatcher
from .nearest_neighbour import NearestNeighbour, Prepared, clear_matches, common_unit, prepared

BACKGROUND = 256
"""keypoints, spread over an image's list, that stand for what its descriptors look like by chance"""


@dataclass(frozen=True, eq=False)
class PreparedForBands:
    """An image's descriptors, and each one's largest product with the background of its own image."""

    descriptors: Prepared
    background: Float32[np.ndarray, "n"]


@MATCHERS.register("bands")
@dataclass(frozen=True)
class EpipolarBands(NearestNeighbour):
    """Nearest neighbours; where both poses are known, only keypoints near each other's epipolar lines are compared.

    There are few of them, so the second best is a weak rival: it is that of the band or of a sample of the keypoint's
    own image, whichever is nearer. Pairs of which a pose is unknown are matched as by `nn`, queries too.
    """

    max_error_px: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    """px; with known poses, keypoints further from each other's epipolar lines are not compared"""

    def load_posed(self, runtime: Runtime) -> PosedPairMatcher:
        """The matcher for two posed images."""
        return LoadedEpipolarBands(self)


class LoadedEpipolarBands:
    """`EpipolarBands` at work on posed images."""

    def __init__(self, settings: EpipolarBands) -> None:
        self._settings = settings

    def prepare(self, features: LocalFeatures) -> PreparedForBands:
        """Descriptors in float32, and what they look like by chance."""
        descriptors = prepared(features)
        return PreparedForBands(descriptors, background(descriptors.rows))

    def match_posed(
        self, first: PreparedForBands, second: PreparedForBands, rays: tuple[PosedRays, PosedRays]
    ) -> Matches:
        """Matches whose rays meet in front of both cameras.

        None between images from one spot, of which no point can be made. Of equally similar keypoints the first by
        its angle around the baseline counts.
        """
        unit = common_unit(first.descriptors, second.descriptors)
        planes = half_planes(*rays, self._settings.max_error_px)
        if planes is None:
            return Matches.none()
        found = search_bands(first.descriptors.rows, second.descriptors.rows, planes)
        found = found._replace(runners_up=np.maximum(found.runners_up, first.background))
        return clear_matches(found, unit, self._settings)


def background(rows: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "n"]:
    """The largest product of every row with a sample of the others, evenly spaced; minus infinity without others."""
    if not len(rows):
        return np.zeros(0, np.float32)
    sample = np.unique(np.linspace(0, len(rows) - 1, BACKGROUND).astype(np.int64))
    products = rows @ rows[sample].T  # (n, sample) = (n, d) @ (d, sample)
    products[sample, np.arange(len(sample))] = -np.inf
    largest: np.ndarray = products.max(axis=1)
    return largest
