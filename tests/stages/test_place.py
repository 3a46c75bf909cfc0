"""A map in another frame shows the same in every image."""

from dataclasses import replace

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


def test_uncertainties_turn_and_grow_with_the_frame() -> None:
    spread = np.array([[4, 1, 0.5], [1, 3, 0.2], [0.5, 0.2, 2]])
    stored = np.tile(spread[np.triu_indices(3)], (4, 1)).astype(np.float32)
    there = moved(replace(eight_cameras(), point_covariances=stored, pose_noise=np.array([1e-3, 2e-3])), ELSEWHERE)
    turned = ELSEWHERE.scale**2 * ELSEWHERE.rotation @ spread @ ELSEWHERE.rotation.T
    np.testing.assert_allclose(there.point_covariances[2], turned[np.triu_indices(3)], rtol=1e-5)
    np.testing.assert_allclose(there.pose_noise, [1e-3, 2e-3 * ELSEWHERE.scale])


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
