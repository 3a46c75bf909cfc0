"""Four points from the pixels of three cameras, worked out by hand; and names that become rows."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.sparse_map import NO_POINT, SparseMap
from vloc.runtime import Runtime
from vloc.solvers.track_blocks import block_of
from vloc.solvers.track_points import TriangulationConfig
from vloc.stages.rows import by_rows, posed_images
from vloc.stages.track_blocks import TRACKS
from vloc.stages.triangulate import JOIN, POSE_NOISE, SETTLE, TRIANGULATE

from .two_views import FEATURES, LEFT_RIGHT, LONG, POINTS, VIEWS, WIDE, matches_of

NAMES = ["right", "far", "left"]
MATCHES = {
    ("left", "right"): LEFT_RIGHT,
    ("far", "left"): matches_of((0, 3), (1, 4), (2, 1)),  # C, D, A
    ("right", "far"): matches_of(),
}


def triangulated(pose_error_px: float) -> SparseMap:
    config, images = TriangulationConfig(pose_error_px=pose_error_px), posed_images(NAMES, VIEWS)
    tracks = TRACKS.run(None, Runtime(), images, FEATURES, MATCHES)
    (name,) = tracks.names
    pixels = [FEATURES[NAMES[i]].keypoints[k] for i, k in zip(tracks.images, tracks.keypoints, strict=True)]
    blocks = {name: block_of(tracks, 0, images, np.array(pixels, np.float64))}
    made = dict(zip(blocks, TRIANGULATE.start(config, Runtime(), blocks)(blocks), strict=True))
    noise = POSE_NOISE.run(config, Runtime(), blocks, made)
    settled = dict(zip(blocks, SETTLE.start(config, Runtime(), blocks, made, noise)(blocks), strict=True))
    return JOIN.run(None, Runtime(), images, tracks, settled, noise)


@pytest.mark.parametrize("pose_error_px", [0.0, 0.1])
def test_points_are_where_the_rays_meet(pose_error_px: float) -> None:
    sparse = triangulated(pose_error_px)
    shown = {name: sparse.points_of(NAMES.index(name)) for name in NAMES}
    for point, left, right in zip(POINTS, (1, 2, 3, 4), (3, 1, 4, 0), strict=True):
        row = shown["left"][left]
        assert row == shown["right"][right] != NO_POINT
        np.testing.assert_allclose(sparse.points[row], point, atol=1e-5)
    assert shown["left"][0] == shown["right"][2] == shown["far"][3] == NO_POINT
    assert [shown["far"][row] for row in (0, 1, 2)] == [shown["left"][row] for row in (3, 4, 1)]


def test_images_keep_their_names_cameras_and_poses() -> None:
    sparse = triangulated(0.0)
    assert list(sparse.image_names) == NAMES
    assert [sparse.camera(row) for row in range(3)] == [LONG, WIDE, WIDE] and len(sparse.cameras) == 2
    np.testing.assert_array_equal(sparse.cam_from_world.center, [[1, 0, 0], [2, 0, 0], [0, 0, 0]])


def test_names_of_pairs_become_rows_and_empty_pairs_go() -> None:
    rows = by_rows(NAMES, MATCHES)
    assert list(rows) == [(2, 0), (1, 2)]
    np.testing.assert_array_equal(rows[2, 0], LEFT_RIGHT.indices)
