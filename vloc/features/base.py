"""What a local feature is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from ..array_types import Float32
from ..data.features import LocalFeatures
from ..registry import Registry
from ..runtime import Runtime

Extractor = Callable[[Any], LocalFeatures]
"""uint8 image, (h, w) grey or (h, w, 3) RGB -> features; of an imported feature, the arrays of an image.

Safe to call from several threads."""


@runtime_checkable
class LocalFeature(Protocol):
    """Settings of a local feature."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool]
    """whether the extractor wants RGB"""

    @property
    def matcher(self) -> str:
        """Written form of the matcher that its descriptors are made for, taken unless another is asked for."""
        ...

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor; heavy imports and weights happen here. ExtraMissingError where a package is missing."""
        ...


@runtime_checkable
class SparingFeature(Protocol):
    """A local feature that can leave keypoints undescribed, and takes less time then."""

    def load_sparing(self, runtime: Runtime, num_described: int) -> Extractor:
        """An extractor of the same keypoints: the first so many are described, the descriptors of others are zeros."""
        ...


DenseMap = Float32[np.ndarray, "c y x"]
"""Descriptors of c numbers, of either sign, on a grid over an image."""


@runtime_checkable
class DenseFeature(Protocol):
    """A local feature whose network describes every place."""

    @property
    def weights(self) -> str:
        """The published weights of the network."""
        ...

    def load_dense(self, runtime: Runtime) -> Callable[[np.ndarray], DenseMap]:
        """uint8 image (h, w, 3) -> unit descriptors every DENSE_STEP px. Safe to call from several threads."""
        ...


DENSE_STEP = 4
"""px between the places of a dense map"""

NAMES = (
    *("aliked", "colmap_sift", "dedode", "disk", "imported", "keynet", "matched", "r2d2", "sift", "superpoint"),
    "xfeat",
)
HOMES = {name: f"vloc.features.{name}" for name in NAMES}
"""the module of each"""

FEATURES: Registry[LocalFeature] = Registry("feature", HOMES)
