"""What a global descriptor is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from ..data.features import Arrays, GlobalDescriptor
from ..registry import Registry
from ..runtime import Runtime

TRAINING_IMAGES = 512
"""images of a map that a descriptor learns from at most, evenly drawn"""

Describer = Callable[[np.ndarray], GlobalDescriptor]
"""uint8 image, (h, w) grey or (h, w, 3) RGB -> descriptor. Safe to call from several threads."""


@runtime_checkable
class GlobalFeature(Protocol):
    """Settings of a global descriptor."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool]
    """whether it wants RGB"""

    @property
    def image_size(self) -> int:
        """Longer side, px, at which it looks at an image; images may be decoded at a reduced size of at least this."""
        ...

    def train(self, runtime: Runtime, images: Iterable[np.ndarray], seed: int) -> Arrays:
        """What it learns from images of the map (a vocabulary, a whitening); empty where it learns nothing.

        The images are few enough (`TRAINING_IMAGES`) to hold reduced copies of all of them.
        """
        ...

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer; heavy imports and weights happen here."""
        ...


DESCRIPTORS: Registry[GlobalFeature] = Registry("descriptor")
