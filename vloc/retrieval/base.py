"""What a global descriptor is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol, runtime_checkable

from ..data.features import Arrays, GlobalDescriptor
from ..registry import Registry
from ..runtime import Runtime

TRAINING_IMAGES = 512
"""images of a map that a descriptor learns from at most, evenly drawn"""

Describer = Callable[[Any], GlobalDescriptor]
"""What a descriptor takes of an image -> descriptor. Safe to call from several threads."""


@runtime_checkable
class GlobalFeature(Protocol):
    """Settings of a global descriptor; what it takes of an image (its photo, its local features) its kind says."""

    plugin_name: ClassVar[str]

    def train(self, runtime: Runtime, images: Iterable[Any], seed: int) -> Arrays:
        """What it learns from images of the map (a vocabulary, a whitening); empty where it learns nothing.

        The images are few enough (`TRAINING_IMAGES`) to hold reduced copies of all of them.
        """
        ...

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer; heavy imports and weights happen here."""
        ...


@runtime_checkable
class PhotoDescriptor(GlobalFeature, Protocol):
    """A global descriptor that looks at photos: uint8 images, (h, w) grey or (h, w, 3) RGB."""

    in_color: ClassVar[bool]
    """whether it wants RGB"""

    @property
    def image_size(self) -> int:
        """Longer side, px, at which it looks at an image; images may be decoded at a reduced size of at least this."""
        ...


HOMES = {
    "aggregated": ("bow", "vlad"),
    "apgem": ("apgem",),
    "cosplace": ("cosplace", "eigenplaces"),
    "delg": ("delg",),
    "densevlad": ("densevlad",),
    "fisher": ("fisher",),
    "gnss": ("gnss",),
    "imported": ("imported",),
    "megaloc": ("megaloc",),
    "netvlad": ("netvlad",),
    "radio": ("bluetooth", "wifi"),
    "pooled": ("crow", "gem", "mac", "rmac", "spoc"),
}
"""the descriptors of each module"""

DESCRIPTORS: Registry[GlobalFeature] = Registry(
    "descriptor", {name: f"vloc.retrieval.{module}" for module, names in HOMES.items() for name in names}
)
