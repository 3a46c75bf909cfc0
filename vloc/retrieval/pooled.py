"""Global descriptors pooled from the dense descriptors of a local feature's network; nothing is trained for them.

Whitening is learned on the map's images, where there are enough of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32, UInt8
from ..data.features import Arrays, GlobalDescriptor
from ..errors import ConfigError
from ..features import FEATURES
from ..features.base import DenseFeature, DenseMap
from ..features.reduced_size import reduced
from ..runtime import Runtime
from . import pooling
from .base import DESCRIPTORS, Describer
from .by_network import LEAST_SIDE, at_least, is_blank
from .vlad import unit
from .whitening import learned_whitening, whitened


@dataclass(frozen=True)
class Pooled(ABC):
    """A pooling of a network's dense descriptors, signs apart."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True

    of: str = "aliked"
    """the local feature whose network looks at the image, with its default settings"""
    image_size: Annotated[int, msgspec.Meta(ge=64)] = 480
    """longer side at which an image is looked at (px); smaller ones are taken as they are"""
    dims: Annotated[int, msgspec.Meta(ge=1)] = 128
    """length of the descriptor after whitening; a map of fewer than twice as many images keeps it as it is"""

    @abstractmethod
    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """One vector of a map without negative numbers."""

    def train(self, runtime: Runtime, images: Iterable[UInt8[np.ndarray, "h w 3"]], seed: int) -> Arrays:
        """`mean` (d) and `projection` (d, dims) for maps large enough, else nothing."""
        kept = [reduced(image, self.image_size) for image in images]

        with runtime.mapping() as each:

            def vectors() -> Iterable[np.ndarray]:
                return each(partial(self._vector, self._feature.load_dense(runtime)), kept)

            return learned_whitening(vectors, len(kept), self.dims)

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of RGB images, with what `train` gave."""
        network = self._feature.load_dense(runtime)

        def describe(image: UInt8[np.ndarray, "h w 3"]) -> GlobalDescriptor:
            vector = self._vector(network, reduced(image, self.image_size))
            return GlobalDescriptor(whitened(vector, trained))

        return describe

    @property
    def weights(self) -> str:
        """The published weights of the network."""
        return self._feature.weights

    @property
    def _feature(self) -> DenseFeature:
        feature = FEATURES.parse(self.of)
        if not isinstance(feature, DenseFeature):
            dense = [cls.plugin_name for cls in FEATURES if hasattr(cls, "load_dense")]
            raise ConfigError(f"{self.plugin_name}.of: '{self.of}' has no dense map: choose from {', '.join(dense)}")
        return feature

    def _vector(self, network: Callable[[np.ndarray], DenseMap], image: np.ndarray) -> Float32[np.ndarray, "d"]:
        vector = unit(self.pool(pooling.split_signs(network(at_least(image, LEAST_SIDE)))))
        return np.zeros_like(vector) if is_blank(image) else vector


@DESCRIPTORS.register("mac")
@dataclass(frozen=True)
class Mac(Pooled):
    """Maximum activations of convolutions (Tolias et al., ICLR 2016)."""

    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """The maxima."""
        return pooling.mac(dense)


@DESCRIPTORS.register("rmac")
@dataclass(frozen=True)
class RMac(Pooled):
    """Regional maximum activations of convolutions (Tolias et al., ICLR 2016)."""

    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """The regions' unit vectors together."""
        return pooling.rmac(dense)


@DESCRIPTORS.register("spoc")
@dataclass(frozen=True)
class SPoC(Pooled):
    """Sum-pooled convolutional features (Babenko and Lempitsky, ICCV 2015)."""

    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """The sums, weighed towards the middle."""
        return pooling.spoc(dense)


@DESCRIPTORS.register("crow")
@dataclass(frozen=True)
class CroW(Pooled):
    """Cross-dimensional weighting (Kalantidis et al., ECCV workshops 2016)."""

    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """The sums, weighed by place and channel."""
        return pooling.crow(dense)


@DESCRIPTORS.register("gem")
@dataclass(frozen=True)
class GeM(Pooled):
    """Generalised means (Radenovic et al., TPAMI 2018)."""

    power: Annotated[float, msgspec.Meta(ge=1, le=100)] = 3.0
    """1 for means; the larger, the nearer to maxima"""

    def pool(self, dense: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "c"]:
        """The generalised means."""
        return pooling.gem(dense, self.power)
