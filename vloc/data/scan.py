"""A scan of a place: triangles in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int32


@dataclass(frozen=True, eq=False)
class Scan:
    """Surfaces as triangles. `vertices`: m, in the frame of the capture's poses; `triangles`: rows of three of them."""

    vertices: Float64[np.ndarray, "v 3"]
    triangles: Int32[np.ndarray, "t 3"]

    def __repr__(self) -> str:
        return f"Scan({len(self.triangles)} triangles)"
