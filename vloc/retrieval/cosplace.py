"""CosPlace and EigenPlaces: places of a city told apart by one network, trained in two ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ..data.features import Arrays
from ..errors import ConfigError
from ..runtime import Runtime
from ..weights import WEIGHTS, find
from .base import DESCRIPTORS, Describer
from .by_network import TrainedElsewhere, describer, needs_torch

PUBLISHED_AS = {
    "vgg16": "VGG16",
    "resnet18": "ResNet18",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
}


@dataclass(frozen=True)
class Settings(TrainedElsewhere):
    """What both have."""

    backbone: Literal["vgg16", "resnet18", "resnet50", "resnet101", "resnet152"] = "resnet50"
    """trunk of the network; not every one is published in every length"""
    dims: Annotated[int, msgspec.Meta(ge=1)] = 2048
    """length of the descriptor, a network of its own for each"""
    image_size: Annotated[int, msgspec.Meta(ge=64)] = 640
    """px; larger images are reduced to this longer side, which is that of most images the authors report on"""

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            choices = [file.removesuffix(self._ending) for file in WEIGHTS if file.endswith(self._ending)]
            raise ConfigError(
                f"{self.plugin_name}: no weights are published for backbone={self.backbone}, dims={self.dims}: "
                f"choose from {', '.join(choices)}"
            )

    @property
    def weights(self) -> str:
        """The published weights."""
        return f"{PUBLISHED_AS[self.backbone]}_{self.dims}{self._ending}"

    @property
    def _ending(self) -> str:
        return f"_{self.plugin_name}.pth"

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images."""
        needs_torch(self.plugin_name)
        from ..networks.cosplace import cosplace
        from ..networks.loading import load_into, ready

        path = find(self.weights)
        return describer(ready(load_into(cosplace(self.backbone, self.dims), path), runtime), self.image_size)


@DESCRIPTORS.register("cosplace")
@dataclass(frozen=True)
class CosPlace(Settings):
    """Trained to classify places (Berton et al., Rethinking visual geo-localization, CVPR 2022)."""


@DESCRIPTORS.register("eigenplaces")
@dataclass(frozen=True)
class EigenPlaces(Settings):
    """CosPlace trained to know a place from several sides (Berton et al., ICCV 2023)."""
