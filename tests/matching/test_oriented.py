"""Keypoints matched by scale and orientation: cases worked by hand, before a camera that looks at a plane."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.features import LocalFeatures
from vloc.data.map_images import Shown
from vloc.data.sparse_map import SparseMap
from vloc.geometry.arrows import arrows_in_world, arrows_of
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.matching.guided import near
from vloc.matching.oriented import most_alike

CAMERA = Camera("PINHOLE", 100, 100, (100.0, 100.0, 50.0, 50.0))
POINTS = np.array([[0, 0, 1.0], [0.01, 0, 1.0], [0.3, 0, 1.0]])
PIXELS = np.array([[50.0, 50.0], [51.0, 50.0], [80.0, 50.0]])
SPARSE = SparseMap(
    ["m"], (CAMERA,), np.zeros(1, np.int32), Rigid.identity(1), POINTS, np.zeros(3, np.float32),
    np.array([0, 3]), np.arange(3, dtype=np.int32),
)  # fmt: skip


def features(keypoints: list[tuple[float, float]], scales: list[float], degrees: list[float]) -> LocalFeatures:
    count = len(keypoints)
    bare, angles = np.zeros((count, 0), np.uint8), np.radians(np.array(degrees, np.float32))
    places = np.array(keypoints, np.float32).reshape(count, 2)
    return LocalFeatures(places, bare, np.ones(count, np.float32), np.array(scales, np.float32), 0, angles)


def shown(points: list[int], scales: list[float], degrees: list[float]) -> Shown:
    """An image, taken from where the query is, that shows points so large and so turned."""
    own = features([(0.0, 0.0)] * len(points), scales, degrees)
    assert own.angles is not None
    arrows = arrows_in_world(CAMERA, Rigid.identity(), POINTS[points], arrows_of(own.scales, own.angles))
    return Shown(own, np.array(points, np.int32), (100, 100), arrows.astype(np.float32))


def matched(query: LocalFeatures, images: list[Shown], radius: float = 3.0) -> list[tuple[int, int]]:
    candidates = near(query.keypoints, PIXELS, radius)
    found = most_alike(query, candidates, np.arange(3), images, Rigid.identity(), CAMERA, SPARSE)
    return list(zip(*(rows.tolist() for rows in found), strict=True))


@pytest.mark.parametrize(
    ("scale", "degrees", "is_like"),
    [
        (2, 40, True),
        (2.5, 40, True),
        (2.7, 40, False),
        (1.5, 40, False),
        (2, 25, True),
        (2, 23, False),
        (2, -140, False),
    ],
)
def test_a_keypoint_is_like_a_point_of_about_its_scale_and_orientation(
    scale: float, degrees: float, is_like: bool
) -> None:
    assert matched(features([(51, 51)], [scale], [degrees]), [shown([0], [2], [40])]) == [(0, 0)] * is_like


def test_orientations_are_compared_across_the_end_of_the_circle() -> None:
    assert matched(features([(50, 50)], [2], [179]), [shown([0], [2], [-175])]) == [(0, 0)]


def test_a_keypoint_goes_to_the_point_that_it_is_most_like_and_not_to_the_nearest() -> None:
    image = shown([0, 1], [2, 2], [10, 0])
    assert matched(features([(50, 50)], [2], [1]), [image]) == [(0, 1)]
    assert matched(features([(50, 50), (51, 50)], [2, 2], [1, 9]), [image]) == [(0, 1), (1, 0)]
    assert matched(features([(50, 50), (51, 50)], [2, 2], [1, 2]), [image]) == [(0, 1)]  # each once


def test_any_of_the_images_may_show_a_point_as_the_query_does() -> None:
    query = features([(50, 50)], [2], [40])
    assert matched(query, [shown([2, 0], [2, 2], [40, 90]), shown([0], [2], [38])]) == [(0, 0)]
    assert matched(query, [shown([2], [2], [40])]) == []


def test_only_points_that_project_near_are_matched() -> None:
    image = shown([2], [2], [0])
    assert matched(features([(77.5, 50)], [2], [0]), [image]) == [(0, 2)]
    assert matched(features([(76.5, 50)], [2], [0]), [image]) == []
    assert matched(features([], [], []), [image]) == []
