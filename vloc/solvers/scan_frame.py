"""Whether a scan lies where the points of a map are."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..data.sparse_map import NO_POINT, SparseMap
from ..errors import StageError
from .view_synthesis import Cast

LOOKED_AT = 20
"""images, and points of each"""
SAME = 0.05
"""relative; a surface so near to a point, along the ray of an image that shows it, may be that of the point"""


def check_frame(cast: Cast, sparse: SparseMap) -> None:
    """StageError where most rays of a map's images meet the scan elsewhere than their points are, or not at all."""
    rows = np.unique(np.linspace(0, len(sparse.image_names) - 1, LOOKED_AT).astype(int))
    reach = np.concatenate([_reach(cast, sparse, int(row)) for row in rows])
    met = reach[np.isfinite(reach)]
    if len(met) and np.median(np.abs(met - 1)) <= SAME:
        return
    found = f"a median of {100 * np.median(np.abs(met - 1)):.0f} % off" if len(met) else "nowhere"
    raise StageError(
        f"of {len(reach)} rays from map images to their points {len(met)} meet the scan, {found}: expected within "
        f"{100 * SAME:.0f} %: the scan has to be in the frame of the map, in its unit"
    )


def _reach(cast: Cast, sparse: SparseMap, row: int) -> Float64[np.ndarray, "some"]:
    """Where rays from an image to some of its points meet the scan: 1 at the point itself."""
    points = np.unique(sparse.points_of(row))
    shown = points[points != NO_POINT]
    some = shown[np.unique(np.linspace(0, len(shown) - 1, LOOKED_AT).astype(int))] if len(shown) else shown
    center = sparse.cam_from_world[row].center
    return cast(center, sparse.points[some] - center).reach
