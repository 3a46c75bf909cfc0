"""A map in another frame shows the same in every image."""

import numpy as np

from vloc.data.features import KeypointColors
from vloc.geometry.alignment import Similarity
from vloc.geometry.projection import project
from vloc.runtime import Runtime
from vloc.stages.place import PLACE, moved

from .cameras import CAMERA, ELSEWHERE, eight_cameras


def test_points_project_to_the_same_pixels_in_every_frame() -> None:
    sparse = eight_cameras()
    there = moved(sparse, ELSEWHERE)
    for row in range(8):
        before = project(CAMERA, sparse.cam_from_world[row].apply(sparse.points))
        np.testing.assert_allclose(project(CAMERA, there.cam_from_world[row].apply(there.points)), before, atol=1e-9)


def test_the_identity_changes_no_bit() -> None:
    sparse = eight_cameras()
    assert moved(sparse, Similarity.identity()) is sparse


def test_colours_come_with_the_motion_and_only_where_there_are_any() -> None:
    sparse = eight_cameras()
    colors = {"0.jpg": KeypointColors(np.array([[9, 8, 7], [0, 0, 0]], np.uint8))}
    placed = PLACE.run(None, Runtime(), sparse, ELSEWHERE, colors)
    np.testing.assert_array_equal(placed.colors, [[9, 8, 7], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(placed.points, ELSEWHERE.apply(sparse.points))
    assert PLACE.run(None, Runtime(), sparse, ELSEWHERE, {}).colors is None
