"""AP-GeM: trained for average precision on landmarks, the descriptor of the paper this project is built on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ..data.features import Arrays
from ..errors import ConfigError
from ..runtime import Runtime
from ..weights import find
from .base import DESCRIPTORS, Describer
from .by_network import TrainedElsewhere, describer, needs_torch

FILES = {
    "resnet101_lm18": "Resnet101-AP-GeM-LM18.pt",
    "resnet101": "Resnet-101-AP-GeM.pt",
    "resnet50": "Resnet50-AP-GeM.pt",
}
WHITENINGS = {"landmarks_clean": "Landmarks_clean"}
"""name here -> name in the checkpoint"""
DIMS = 2048


@DESCRIPTORS.register("apgem")
@dataclass(frozen=True)
class ApGem(TrainedElsewhere):
    """Generalised mean of ResNet's features (Revaud et al., Learning with average precision, ICCV 2019)."""

    network: Literal["resnet101_lm18", "resnet101", "resnet50"] = "resnet101_lm18"
    """published weights; those of the paper on late fusion are resnet101_lm18"""
    whitening: Literal["none", "landmarks_clean"] = "none"
    """principal components in the same file; the authors' extractor for kapture takes none"""
    power: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    """of the variances that whitening divides by; 0.5 makes them equal"""
    dims: Annotated[int, msgspec.Meta(ge=1, le=DIMS)] = DIMS
    """length of the descriptor, less only with whitening"""
    image_size: Annotated[int, msgspec.Meta(ge=64)] = 1024
    """px; larger images are reduced to this longer side"""
    scales: str = "1"
    """shares of that size at which an image is looked at, each over 0 and at most 1, as 1/0.71/0.5; all make one
    descriptor, whitened afterwards"""
    scale_power: Annotated[float, msgspec.Meta(ge=1, le=100)] = 3.0
    """of the signed power mean over several scales; 1: the plain mean"""

    def __post_init__(self) -> None:
        # A comma, as on the command line, would end the setting in the written form.
        object.__setattr__(self, "scales", self.scales.replace(",", "/"))
        self.shares()
        if self.whitening == "none" and self.dims != DIMS:
            raise ConfigError(f"apgem.dims: expected {DIMS} without whitening, got {self.dims}")

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILES[self.network]

    def shares(self) -> tuple[float, ...]:
        """The scales as numbers; ConfigError where they are none, or out of range."""
        try:
            shares = tuple(float(text) for text in self.scales.split("/"))
        except ValueError:
            shares = (0.0,)
        if not all(0 < share <= 1 for share in shares):
            raise ConfigError(f"apgem.scales: expected numbers over 0 and at most 1, as 1/0.5, got '{self.scales}'")
        return shares

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images."""
        needs_torch(self.plugin_name)
        from torch.nn import Sequential

        from ..networks.apgem import load, whitening
        from ..networks.loading import ready
        from ..networks.scales import AtScales

        path = find(self.weights)
        network, components = load(path)
        if self.scales != "1":
            network = Sequential(AtScales(network, self.shares(), self.scale_power))
        if self.whitening != "none":
            name = WHITENINGS[self.whitening]
            network = Sequential(network, whitening(components, name, self.power, self.dims, path))
        return describer(ready(network, runtime), self.image_size)
