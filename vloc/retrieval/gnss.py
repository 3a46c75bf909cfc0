"""Where an image was taken by satellite, as a global descriptor; no photo is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32, Float64
from ..data.features import Arrays, GlobalDescriptor
from ..errors import DataError, StageError
from ..runtime import Runtime
from .base import DESCRIPTORS


@dataclass(frozen=True, eq=False)
class Place:
    """Metres from the earth's centre, on its ellipsoid, or in the readings' own frame (`is_local`); NaN: unknown."""

    xyz: Float64[np.ndarray, "3"]
    is_local: bool = False

    @property
    def is_known(self) -> bool:
        """Whether there was a reading."""
        return bool(np.isfinite(self.xyz).all())


@DESCRIPTORS.register("gnss")
@dataclass(frozen=True)
class Gnss:
    """Positions by satellite: two images d metres apart have the similarity (1 + exp(-d^2 / (2 scale^2))) / 2.

    An image without a position has 1/2 to every other, which is what lies far away. Random Fourier features (Rahimi &
    Recht, NIPS 2007, algorithm 1) give this with a standard error of at most 1 / sqrt(8 num_frequencies), 0.008.
    """

    plugin_name: ClassVar[str]

    scale: Annotated[float, msgspec.Meta(ge=0.01)] = 25.0
    """m; at this distance the similarity is 0.80, at twice as many 0.57. Take what positions are wrong by, and what a
    camera sees"""
    num_frequencies: Annotated[int, msgspec.Meta(ge=1)] = 2048
    """half the length of the descriptor"""

    def train(self, runtime: Runtime, images: Iterable[Place], seed: int) -> Arrays:
        """`frequencies` (3, f), 1/m, drawn by the seed, and whether positions are `local`; StageError where none is."""
        known = [place.is_local for place in images if place.is_known]
        if not known:
            raise StageError("gnss: no image has a position by satellite (EXIF, sensors/records_gnss.txt)")
        drawn = np.random.default_rng(seed).standard_normal((3, self.num_frequencies)) / self.scale
        return {"frequencies": drawn, "local": np.array(known[:1], np.uint8)}

    def load(self, runtime: Runtime, trained: Arrays) -> Callable[[Place], GlobalDescriptor]:
        """The describer of places; DataError for one in another system than the map's."""
        frequencies, is_local = trained["frequencies"], bool(trained["local"][0])

        def describe(place: Place) -> GlobalDescriptor:
            if place.is_known and place.is_local != is_local:
                systems = [("degrees", "metres of a local frame")[local] for local in (place.is_local, is_local)]
                raise DataError(f"its position is in {systems[0]}, those of the map in {systems[1]}")
            return GlobalDescriptor(features(place, frequencies))

        return describe


def features(place: Place, frequencies: Float64[np.ndarray, "3 f"]) -> Float32[np.ndarray, "dims"]:
    """Cosines and sines of the position at every frequency, and what all images have in common."""
    waves = np.zeros(2 * frequencies.shape[1])
    if place.is_known:
        phases = place.xyz @ frequencies
        waves = np.concatenate([np.cos(phases), np.sin(phases)]) / np.sqrt(len(phases))
    return (np.append(waves, 1) / 2**0.5).astype(np.float32)
