"""A map of eight cameras that look about, worked out without any of the stages."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.data.sparse_map import NO_POINT, SparseMap
from vloc.geometry.alignment import Similarity
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

NAMES = [f"{i}.jpg" for i in range(8)]
CAMERA = Camera("PINHOLE", 100, 80, (90.0, 90.0, 50.0, 40.0))
ELSEWHERE = Similarity(0.2, Rotation.from_rotvec([0.3, 2.0, -1.0]).as_matrix(), np.array([5.0, -7, 1]))
"""from the map's frame to another, five times smaller"""


def eight_cameras() -> SparseMap:
    """Centres of an extent of some metres; four points, of which each camera sees one."""
    rng = np.random.default_rng(8)
    rotations = Rotation.from_rotvec(rng.normal(0, 0.4, (8, 3))).as_matrix()
    centers = rng.normal(0, 3, (8, 3))
    poses = Rigid(rotations, -np.einsum("nij,nj->ni", rotations, centers))
    return SparseMap(
        list(NAMES),
        (CAMERA,),
        np.zeros(8, np.int32),
        poses,
        rng.normal(size=(4, 3)) + np.array([0.0, 0, 10]),
        np.full(4, 0.5, np.float32),
        np.arange(9, dtype=np.int64) * 2,
        np.array([(row % 4, NO_POINT) for row in range(8)], np.int32).ravel(),
    )
