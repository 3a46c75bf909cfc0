"""What the coordinates of a map mean: their unit, where that comes from, and how the reconstruction got there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from ..errors import DataError
from ..geometry.alignment import Similarity

Unit = Literal["m", "map units"]
FrameSource = Literal["given poses", "gnss", "rig", "aligned", "distance", "arbitrary"]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Placement:
    """A similarity in plain numbers: `map_from_reconstruction`, rotation row by row."""

    scale: Annotated[float, msgspec.Meta(gt=0)]
    rotation: tuple[Three, Three, Three]
    translation: Three

    @classmethod
    def of(cls, similarity: Similarity) -> Placement:
        """The numbers of a similarity; they read back exactly."""
        first, second, third = (tuple(row) for row in similarity.rotation.tolist())
        return cls(float(similarity.scale), (first, second, third), tuple(similarity.translation.tolist()))

    @property
    def similarity(self) -> Similarity:
        """The similarity itself."""
        return Similarity(self.scale, np.array(self.rotation), np.array(self.translation))


@dataclass(frozen=True)
class Frame:
    """The frame of a map: metres, or units that only the map knows."""

    metric: bool
    source: FrameSource
    about: str = ""
    """how well it fits, or why there is none, for people"""
    kept: str = ""
    """how well images that an older map of the folder had are where they were, for people"""
    origin: Three | None = None
    """degrees north and east (WGS84) and metres up, of a frame that looks east, north and up"""
    placement: Placement | None = None
    """how the reconstruction was moved into the frame; None: not at all"""

    @classmethod
    def of_reconstruction(cls, *, posed: bool) -> Frame:
        """The frame that a reconstruction has of itself: that of the given poses, taken as metres, or of nothing."""
        return cls(True, "given poses") if posed else cls(False, "arbitrary")

    @property
    def unit(self) -> Unit:
        """Of lengths in the map: `m` or `map units`."""
        return "m" if self.metric else "map units"

    @property
    def is_chosen(self) -> bool:
        """Whether the map was moved into metres, which given poses alone would not have done."""
        return self.metric and self.placement is not None

    @property
    def similarity(self) -> Similarity:
        """`map_from_reconstruction`."""
        return self.placement.similarity if self.placement else Similarity.identity()

    def to_json(self) -> dict[str, Any]:
        """The plain form, for a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], place: str) -> Frame:
        """The inverse of `to_json`; DataError begins with `place`."""
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"{place}: frame: {error}") from None
