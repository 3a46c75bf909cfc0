"""What the images of a map show of its points, kept in memory for those used lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..array_types import Int32
from .features import LocalFeatures
from .sparse_map import NO_POINT, SparseMap

KEPT = 128
"""images (0.3 MB for 2,000 keypoints with points) that stay in memory"""


@dataclass(frozen=True, eq=False)
class Shown:
    """The features of one map image that show a point, strongest first, and the rows of these points.

    `size`: width and height of the image, px.
    """

    features: LocalFeatures
    points: Int32[np.ndarray, "n"]
    size: tuple[int, int]


class MapImages:
    """Gives what a map image (row) shows. Thread safe."""

    def __init__(self, features: Mapping[str, LocalFeatures], sparse: SparseMap) -> None:
        self._features, self._sparse = features, sparse
        self._kept = lru_cache(KEPT)(self._read)

    def __call__(self, image: int) -> Shown:
        """The features and points of an image."""
        return self._kept(image)

    def _read(self, image: int) -> Shown:
        features, points = self._features[self._sparse.image_names[image]], self._sparse.points_of(image)
        shown = np.flatnonzero(points != NO_POINT)
        return Shown(features[shown], points[shown], self._sparse.camera(image).size)
