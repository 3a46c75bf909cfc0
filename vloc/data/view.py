"""How much a photo looks like what its pose would see, and how much it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from .features import Arrays

ViewUse = Literal["none", "check", "require"]


@dataclass(frozen=True)
class ViewConfig:
    """Whether poses are held against what they would see of a scan (--scan)."""

    use: ViewUse = "none"
    """nothing; to refuse poses that would see something else than the photo shows (check), and also those of which
    nothing can be told (require)"""
    min_similarity: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.85
    """0 to 1, median of dense descriptors; below, a pose is refused"""
    min_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    """of the picture; where less of it can be compared, the view says nothing of a pose"""
    size: Annotated[int, msgspec.Meta(ge=64)] = 320
    """px; longer side of the views and of the photos that they are compared with and painted with"""
    num_photos: Annotated[int, msgspec.Meta(ge=1)] = 10
    """retrieved map images, best first, whose photos paint a view"""


@dataclass(frozen=True)
class ViewSimilarity:
    """The median likeness (0 to 1) of a photo's dense descriptors to those of what its pose would see.

    `share`: the part of the picture (0 to 1) that could be compared; where it is 0, so is the similarity.
    """

    similarity: float
    share: float

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"view": np.array([[self.similarity, self.share]])}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> ViewSimilarity:
        """The inverse of `to_arrays`."""
        return cls(*arrays["view"][0].tolist())
