"""NetVLAD: soft-assigned local features of VGG-16, the descriptor that many later ones are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ..data.features import Arrays
from ..runtime import Runtime
from ..weights import find
from .base import DESCRIPTORS, Describer
from .by_network import TrainedElsewhere, describer, needs_torch

FILES = {"pitts30k": "Pitts30K_struct.mat", "tokyotm": "TokyoTM_struct.mat"}


@DESCRIPTORS.register("netvlad")
@dataclass(frozen=True)
class NetVlad(TrainedElsewhere):
    """VLAD learned end to end, whitened to 4096 dimensions (Arandjelovic et al., NetVLAD, CVPR 2016)."""

    network: Literal["pitts30k", "tokyotm"] = "pitts30k"
    """published weights, by the images they were trained on: streets of Pittsburgh, or Tokyo over years"""
    image_size: Annotated[int, msgspec.Meta(ge=64)] = 1024
    """px; larger images are reduced to this longer side"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILES[self.network]

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images."""
        needs_torch(self.plugin_name)
        from ..networks.loading import ready
        from ..networks.netvlad import load

        return describer(ready(load(find(self.weights)), runtime), self.image_size)
