"""MegaLoc: one descriptor trained on landmarks, streets and rooms together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..data.features import Arrays
from ..runtime import Runtime
from ..weights import find
from .base import DESCRIPTORS, Describer
from .by_network import TrainedElsewhere, describer, needs_torch

FILE = "megaloc.torch"
LEAST_SIDE = 126
"""px; 9 x 9 patches, more than there are clusters"""


@DESCRIPTORS.register("megaloc")
@dataclass(frozen=True)
class MegaLoc(TrainedElsewhere):
    """Patches of DINOv2 in clusters (Berton & Masone, MegaLoc: one retrieval to place them all, 2025)."""

    image_size: Annotated[int, msgspec.Meta(ge=126)] = 322
    """px; larger images are reduced to this longer side; its authors stretch to 322 x 322"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILE

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images."""
        needs_torch(self.plugin_name)
        from ..networks.loading import ready
        from ..networks.megaloc import load

        return describer(ready(load(find(self.weights)), runtime), self.image_size, LEAST_SIDE)
