"""Scans where a map's points are, elsewhere, and nowhere near."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.sparse_map import SparseMap
from vloc.errors import StageError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.ray_casting import Hits
from vloc.solvers.scan_frame import check_frame
from vloc.solvers.view_synthesis import Cast

POINTS = np.column_stack([np.random.default_rng(0).uniform(-1, 1, (30, 2)), np.full(30, 4.0)])
SHOWN = np.concatenate([np.arange(30), [-1, -1], np.arange(30)]).astype(np.int32)
MAP = SparseMap(
    ["a", "b"],
    (Camera("SIMPLE_PINHOLE", 80, 60, (40.0, 40.0, 30.0)),),
    np.zeros(2, np.int32),
    Rigid(np.tile(np.eye(3), (2, 1, 1)), np.array([(0.0, 0, 0), (-1.0, 0, 0)])),
    POINTS,
    np.zeros(30, np.float32),
    np.array([0, 32, 62]),
    SHOWN,
)


def wall(z: float, *, wide: float = np.inf) -> Cast:
    """Across the z axis, to some x either way."""

    def cast(center: np.ndarray, directions: np.ndarray) -> Hits:
        reach = (z - center[2]) / directions[:, 2]
        x = center[0] + reach * directions[:, 0]
        return Hits(np.where((reach > 0) & (np.abs(x) < wide), reach, np.inf), np.tile([0.0, 0, 1], (len(x), 1)))

    return cast


def test_a_scan_in_the_frame_of_the_map_is_taken_and_so_is_a_part_of_one() -> None:
    check_frame(wall(4.0), MAP)
    check_frame(wall(4.1), MAP)
    check_frame(wall(4.0, wide=0.3), MAP)


def test_a_scan_in_another_frame_or_unit_is_refused_with_how_far_it_is_off() -> None:
    with pytest.raises(StageError, match=r"of 40 rays .* 40 meet the scan, a median of 25 %"):
        check_frame(wall(5.0), MAP)
    with pytest.raises(StageError, match=r"a median of 99900 % off.*frame of the map, in its unit"):
        check_frame(wall(4000.0), MAP)
    with pytest.raises(StageError, match=r"0 meet the scan, nowhere"):
        check_frame(wall(-4.0), MAP)
