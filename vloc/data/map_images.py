"""What the images of a map show of its points, kept in memory for those used lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..array_types import Float32, Int32
from ..geometry.arrows import arrows_in_world, arrows_of
from .features import LocalFeatures
from .sparse_map import NO_POINT, SparseMap

KEPT = 128
"""images (0.3 MB for 2,000 keypoints with points) that stay in memory"""


@dataclass(frozen=True, eq=False)
class Shown:
    """The features of one map image that show a point, strongest first, and the rows of these points.

    `size`: width and height of the image, px. `arrows`: the keypoints' scales and orientations at their points, as by
    `arrows_in_world`; None of features that tell no orientation.
    """

    features: LocalFeatures
    points: Int32[np.ndarray, "n"]
    size: tuple[int, int]
    arrows: Float32[np.ndarray, "n 3"] | None = None

    def __getitem__(self, rows: np.ndarray | slice) -> Shown:
        """What some of its keypoints show."""
        arrows = None if self.arrows is None else self.arrows[rows]
        return Shown(self.features[rows], self.points[rows], self.size, arrows)


class MapImages:
    """Gives what a map image (row) shows. Thread safe."""

    def __init__(self, features: Mapping[str, LocalFeatures], sparse: SparseMap) -> None:
        self._features, self._sparse = features, sparse
        self._kept = lru_cache(KEPT)(self._read)

    def __call__(self, image: int) -> Shown:
        """The features and points of an image."""
        return self._kept(image)

    def _read(self, image: int) -> Shown:
        sparse = self._sparse
        every, points = self._features[sparse.image_names[image]], sparse.points_of(image)
        shown, camera = np.flatnonzero(points != NO_POINT), sparse.camera(image)
        features, points = every[shown], points[shown]
        if features.angles is None:
            return Shown(features, points, camera.size)
        in_image = arrows_of(features.scales, features.angles)
        arrows = arrows_in_world(camera, sparse.cam_from_world[image], sparse.points[points], in_image)
        return Shown(features, points, camera.size, arrows.astype(np.float32))
