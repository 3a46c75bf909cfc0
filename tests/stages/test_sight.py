"""What a query shows of a map, from places worked by hand."""

import numpy as np

from vloc.data.map_images import Shown
from vloc.data.photo_matches import PhotoMatches, Sightings, features_at
from vloc.features.matched import Matched
from vloc.stages.sight import joined, seen_with

CONFIG = Matched(cell=0.02)  # 2 px of 100


def seen(places: list[tuple[float, float]], points: list[int], scores: list[float], image: int) -> Sightings:
    images = np.full(len(points), image, np.int32)
    return Sightings(np.array(places, np.float32), np.array(points, np.int32), np.array(scores, np.float32), images)


def test_matches_near_a_keypoint_of_the_map_show_its_point() -> None:
    keypoints = np.array([(10, 10), (50, 50)], np.float32)
    shown = Shown(features_at(keypoints, np.ones(2, np.float32)), np.array([7, 3], np.int32), (100, 80))
    first, second = [(50, 51.9), (30, 30), (11, 11)], [(1, 2), (3, 4), (5, 6)]
    matches = PhotoMatches(*(np.array(rows, np.float32) for rows in (first, second, [0.5, 0.6, 0.7])))
    found = seen_with(CONFIG, shown, 4, matches)
    assert found.points.tolist() == [3, 7] and found.images.tolist() == [4, 4]
    np.testing.assert_array_equal(found.places, [(1, 2), (5, 6)])


def test_a_point_is_where_the_map_images_that_agree_with_the_surest_see_it() -> None:
    first = seen([(10, 10), (40, 40)], [5, 2], [0.6, 0.5], 0)
    second = seen([(11, 10), (90, 90)], [5, 5], [0.2, 0.4], 1)
    found = joined([first, second], 2.0)
    assert found.points.tolist() == [2, 5] and found.images.tolist() == [0, 0]
    np.testing.assert_allclose(found.places, [(40, 40), (10.25, 10)])
    np.testing.assert_allclose(found.scores, [0.5, 0.8], rtol=1e-6)
    assert found.matches.keypoints.tolist() == [0, 1] and found.matches.points.tolist() == [2, 5]
    np.testing.assert_array_equal(found.features.keypoints, found.places)


def test_nothing_is_seen_with_no_images() -> None:
    assert len(joined([], 2.0)) == len(joined([Sightings.none()], 2.0)) == 0
