"""Keypoints where photos matched: nothing is extracted from one photo alone, and nothing describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec

from ..errors import ConfigError
from ..runtime import Runtime
from .base import FEATURES, Extractor


@FEATURES.register("matched")
@dataclass(frozen=True)
class Matched:
    """The places of a photo that a matcher of photos found again in others, put together over all its pairs."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False
    matcher: ClassVar[str] = "loftr"

    cell: Annotated[float, msgspec.Meta(gt=0, le=0.1)] = 0.002
    """part of a photo's longer side (0.002: 1.7 of 832 px); of the places in a square of this side the one with most
    support is the keypoint of all, and a query's matches count for those keypoints of a map that are so near"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 8192
    """keypoints of a photo at most, those of most support"""

    def cell_px(self, size: tuple[int, int]) -> float:
        """The side of a cell of a photo of that width and height, px."""
        return self.cell * max(size)

    def load(self, runtime: Runtime) -> Extractor:
        """ConfigError: a photo alone has none of them."""
        raise ConfigError("features 'matched': a photo alone has none, they are where photos match")
