"""How much a photo looks like what its pose would see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .features import Arrays


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
