"""Which retrieved images show the same things in the same arrangement: settings; `stages.arrange` looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec

from .reranking import RERANKINGS


@RERANKINGS.register("geometric")
@dataclass(frozen=True)
class Geometric:
    """The first references come in the order of how many matches with the query agree with one motion.

    Philbin et al., CVPR 2007, section 3, with the two views' epipolar geometry for the affine one.
    """

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "last"

    depth: Annotated[int, msgspec.Meta(ge=1)] = 50
    """first references that are matched"""
    max_keypoints: Annotated[int, msgspec.Meta(ge=8)] = 512
    """strongest keypoints of either image, of the map's those that show a point"""
    max_error: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """px; from the epipolar geometry, beyond which a match does not count"""
