"""Which transmitters were heard where an image was taken, as a global descriptor; no photo is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar
from zlib import crc32

import msgspec
import numpy as np

from ..array_types import Float32, Float64
from ..data.features import Arrays, GlobalDescriptor
from ..runtime import Runtime
from .base import DESCRIPTORS
from .vlad import unit


@dataclass(frozen=True, eq=False)
class Scan:
    """The addresses of the transmitters heard, each with its signal strength, dBm."""

    addresses: Sequence[str]
    strengths: Float64[np.ndarray, "n"]


@dataclass(frozen=True)
class Radio:
    """Signal strengths over transmitters, each in the place its address hashes to; zeros where nothing was heard.

    A strength counts by its distance from the floor, to the power e: the 'powed' representation of Torres-Sospedra et
    al., Expert Systems with Applications 2015.
    """

    plugin_name: ClassVar[str]
    kind: ClassVar[str]
    """of the readings"""

    dims: Annotated[int, msgspec.Meta(ge=1)] = 4096
    """length of the descriptor; of two transmitters that share a place, neither is told apart"""
    floor_dbm: Annotated[float, msgspec.Meta(lt=0)] = -100.0
    """signal strength that counts nothing, as what is not heard; 0 dBm counts one"""

    def train(self, runtime: Runtime, images: Iterable[Scan], seed: int) -> Arrays:
        """Nothing is learned from the map."""
        return {}

    def load(self, runtime: Runtime, trained: Arrays) -> Callable[[Scan], GlobalDescriptor]:
        """The describer of scans."""
        return lambda scan: GlobalDescriptor(self.vector(scan))

    def vector(self, scan: Scan) -> Float32[np.ndarray, "dims"]:
        """The unit vector of a scan."""
        counted = np.clip(1 - scan.strengths / self.floor_dbm, 0, 1) ** math.e
        places = [crc32(address.encode()) % self.dims for address in scan.addresses]
        return unit(np.bincount(places, counted, self.dims).astype(np.float32))


@DESCRIPTORS.register("wifi")
@dataclass(frozen=True)
class Wifi(Radio):
    """Access points heard around the time of an image, by their BSSID."""

    kind: ClassVar[str] = "wifi"


@DESCRIPTORS.register("bluetooth")
@dataclass(frozen=True)
class Bluetooth(Radio):
    """Bluetooth devices heard around the time of an image, by their address."""

    kind: ClassVar[str] = "bluetooth"
