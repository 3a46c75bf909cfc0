"""DELG: the global descriptor of a network that was trained for local and global features at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..data.features import Arrays
from ..runtime import Runtime
from ..weights import find
from .base import DESCRIPTORS, Describer
from .by_network import TrainedElsewhere, describer, needs_torch

FILE = "r50-delg"


@DESCRIPTORS.register("delg")
@dataclass(frozen=True)
class Delg(TrainedElsewhere):
    """Generalised mean of ResNet-50 (Cao et al., DELG, ECCV 2020), by a port to PyTorch; the image at one scale."""

    image_size: Annotated[int, msgspec.Meta(ge=64)] = 1024
    """px; larger images are reduced to this longer side"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILE

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images."""
        needs_torch(self.plugin_name)
        from ..networks.delg import load
        from ..networks.loading import ready

        return describer(ready(load(find(self.weights)), runtime), self.image_size)
