"""Which matches a page draws as agreeing, and with which map image."""

from __future__ import annotations

import numpy as np

from vloc.data.selection import Correspondences
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.page.evidence import best_image, errors_px

CAMERA = Camera("SIMPLE_PINHOLE", 100, 80, (100.0, 50.0, 40.0))
# Seen from the origin along z: (0, 0, 2) is in the middle, (0.2, 0, 2) is 100 * 0.1 = 10 px to its right.
POINTS = np.array([[0.0, 0.0, 2.0], [0.2, 0.0, 2.0], [0.0, 0.0, -2.0]])
PIXELS = np.array([[50.0, 43.0], [66.1, 40.0], [50.0, 40.0]])  # 3 px off, 6.1 px off, exact but behind


def sparse(*points_of_images: list[int]) -> SparseMap:
    count, rows = len(points_of_images), np.concatenate(points_of_images).astype(np.int32)
    return SparseMap(
        [f"{i}.jpg" for i in range(count)], (CAMERA,), np.zeros(count, np.int32), Rigid.identity(count), POINTS,
        np.zeros(3, np.float32), np.cumsum([0, *map(len, points_of_images)]), rows,
    )  # fmt: skip


def matches(*points: int) -> Correspondences:
    rows = np.array(points, np.int32)
    return Correspondences(rows, rows, np.ones(len(rows), np.float32), np.zeros(len(rows), np.int32))


def test_a_match_is_off_by_pixels_and_infinitely_behind_the_camera() -> None:
    np.testing.assert_allclose(errors_px(Rigid.identity(), CAMERA, PIXELS, POINTS), [3.0, 6.1, np.inf])


def test_without_a_pose_nothing_agrees() -> None:
    assert np.isinf(errors_px(None, CAMERA, PIXELS, POINTS)).all()


def test_the_best_image_shows_most_points_that_agree() -> None:
    seen = sparse([1, 2, -1], [0, -1])
    assert best_image(seen, [0, 1], matches(0, 1, 2), np.array([True, False, False])) == 1


def test_where_nothing_agrees_the_best_image_shows_most_matches() -> None:
    assert best_image(sparse([1, 2], [0, -1]), [1, 0], matches(0, 1, 2), np.zeros(3, bool)) == 0


def test_without_matches_there_is_no_best_image() -> None:
    assert best_image(sparse([1, 2], [0, -1]), [0, 1], matches(), np.zeros(0, bool)) is None
