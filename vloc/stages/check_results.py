"""Whether poses lie in the frame of a map."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid

NEAR = 1.0
"""of the map's diameter; poses of which half are further than that from every map camera are in another frame"""


def frame_problem(poses: Rigid, map_poses: Rigid) -> str:
    """What speaks against `cam_from_world` poses being in the frame of a map's; empty where nothing does.

    Half of them are further from the nearest map camera than the map is wide. Camera-to-world poses, the usual mistake,
    are told by their inverses lying where they should.
    """
    centers = map_poses.center
    diameter = float(np.linalg.norm(np.ptp(centers, axis=0)))
    away, inverse_away = (_median_distance(each.center, centers) for each in (poses, poses.inverse()))
    if not away > NEAR * diameter:
        return ""
    told = f"half of the poses are over {away:.3g} from the nearest map camera, in a map {diameter:.3g} wide"
    if inverse_away <= NEAR * diameter:
        return f"{told}; their inverses are within {inverse_away:.3g}: write world to camera, not camera to world"
    return f"{told}: they are in another frame, or their translations are camera centres"


def _median_distance(points: Float64[np.ndarray, "n 3"], others: Float64[np.ndarray, "m 3"]) -> float:
    """Of the points from the nearest of the others."""
    from scipy.spatial import KDTree

    return float(np.median(KDTree(others).query(points)[0]))
