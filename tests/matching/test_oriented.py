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
from vloc.matching.oriented import alike

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


def matched(
    query: LocalFeatures, images: list[Shown], radius: float = 3.0, nearness: list[float] | None = None
) -> dict[tuple[int, int], float]:
    """What each match of a keypoint and a point counts."""
    candidates = near(query.keypoints, PIXELS, radius)
    known = images, np.array(nearness or [1.0] * len(images)), Rigid.identity(), CAMERA, SPARSE
    keypoints, points, weights = alike(query, candidates, np.arange(3), *known)
    return dict(zip(zip(keypoints.tolist(), points.tolist(), strict=True), weights.tolist(), strict=True))


@pytest.mark.parametrize(
    ("scale", "degrees", "weight"),
    [
        (2, 40, 1.0),
        (2.5, 40, 0.64),  # 0.5 / sqrt(5) of 0.5: the biweight (1 - 0.2)^2
        (1.6, 40, 0.64),
        (2, 40 + 2 * np.degrees(np.arcsin(0.125)), 0.5625),  # a chord of half the limit: (1 - 0.25)^2
        (3.3, 40, None),
        (1.2, 40, None),
        (2, 10, None),
        (2, -140, None),
    ],
)
def test_a_keypoint_is_as_like_a_point_as_it_has_its_scale_and_orientation(
    scale: float, degrees: float, weight: float | None
) -> None:
    found = matched(features([(51, 51)], [scale], [degrees]), [shown([0], [2], [40])])
    assert found == ({} if weight is None else {(0, 0): pytest.approx(weight, abs=1e-4)})


def test_orientations_are_compared_across_the_end_of_the_circle() -> None:
    assert set(matched(features([(50, 50)], [2], [179]), [shown([0], [2], [-175])])) == {(0, 0)}


def test_what_competes_for_a_keypoint_or_a_point_shares_it_by_likeness_and_not_by_nearness() -> None:
    image = shown([0, 1], [2, 2], [0, 0])
    halves = matched(features([(50, 50)], [2], [0]), [image])
    assert halves == {(0, 0): pytest.approx(0.5), (0, 1): pytest.approx(0.5)}  # points 0 and 1 px away
    one_point = matched(features([(50, 50), (50, 51)], [2, 2.5], [0, 0]), [shown([0], [2], [0])])
    assert one_point == {(0, 0): pytest.approx(1 / 1.64), (1, 0): pytest.approx(0.64**2 / 1.64)}
    apart = matched(features([(50, 50), (51, 50)], [2, 2], [0, 90]), [shown([0, 1], [2, 2], [0, 90])])
    assert apart == {(0, 0): pytest.approx(1), (1, 1): pytest.approx(1)}


def test_any_of_the_images_may_show_a_point_as_the_query_does() -> None:
    query = features([(50, 50)], [2], [40])
    both = [shown([2, 0], [2, 2], [40, 90]), shown([0], [2], [40])]
    assert matched(query, both) == {(0, 0): pytest.approx(1)}
    assert matched(query, [shown([2], [2], [40])]) == {}


def test_an_image_counts_by_how_near_it_is() -> None:
    query = features([(50, 50)], [2], [0])
    far = [shown([0], [2], [0]), shown([0, 2], [2, 2], [90, 0])]
    assert matched(query, far, nearness=[0.25, 1.0]) == {(0, 0): pytest.approx(0.25)}
    assert matched(query, far, nearness=[0.0, 1.0]) == {}


def test_only_points_that_project_near_are_matched() -> None:
    image = shown([2], [2], [0])
    assert set(matched(features([(77.5, 50)], [2], [0]), [image])) == {(0, 2)}
    assert matched(features([(76.5, 50)], [2], [0]), [image]) == {}
    assert matched(features([], [], []), [image]) == {}
