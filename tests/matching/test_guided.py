"""Matches near where points project: cases worked by hand."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial import KDTree

from vloc.data.features import LocalFeatures
from vloc.data.map_images import Shown
from vloc.matching.guided import most_similar, near, usual_distance


def features(keypoints, descriptors):
    n = len(keypoints)
    return LocalFeatures(
        np.array(keypoints, np.float32).reshape(n, 2),
        np.array(descriptors),
        np.ones(n, np.float32),
        np.ones(n, np.float32),
    )


def shown(points, descriptors):
    return Shown(features(np.zeros((len(points), 2)), descriptors), np.array(points, np.int32), (100, 100))


def angle(degrees):
    """A descriptor of two numbers; two of them are 2 sin(half the angle between them) apart."""
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


ROWS = np.array([4, 7])  # of the two points that project near (10, 10)
PIXELS = np.array([[10.0, 10.0], [12.0, 10.0]])


def matched(query, images, max_distance=0.5, radius=3.0):
    keypoints, points = most_similar(query, near(query.keypoints, PIXELS, radius), ROWS, images, max_distance)
    return list(zip(keypoints.tolist(), points.tolist(), strict=True))


def test_only_keypoints_within_the_radius_are_candidates():
    keypoints = np.array([[10, 12], [13, 10], [10, 13.5]], np.float32)
    found = near(keypoints, PIXELS, 3.0)
    assert list(zip(found.keypoints, found.places, strict=True)) == [(0, 0), (1, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(("radius", "width"), [(0.7, 80), (6.0, 80), (300.0, 80), (300.0, 3000)])
def test_candidates_are_the_pairs_that_a_tree_finds(radius, width):
    rng = np.random.default_rng(0)
    keypoints = (rng.random((300, 2)) * [width, 60] - 2).astype(np.float32)  # imported ones may lie outside the picture
    pixels = rng.random((400, 2)) * [width + 10, 400] - [5, 200]
    found = near(keypoints, pixels, radius)
    tree = KDTree(pixels).sparse_distance_matrix(KDTree(keypoints), radius, output_type="ndarray")
    assert [*zip(found.places, found.keypoints, strict=True)] == sorted(zip(tree["i"], tree["j"], strict=True))


def test_a_keypoint_goes_to_the_point_it_looks_like_and_not_to_the_nearest():
    query = features([[10, 10], [12, 10]], [angle(0), angle(90)])
    assert matched(query, [shown([4, 7], [angle(85), angle(5)])]) == [(0, 7), (1, 4)]


def test_points_with_unlike_numbers_of_keypoints_nearby_get_their_own() -> None:
    # Near the first are keypoints 0, 1 and 3, near the second 1 and 2.
    query = features([[8, 10], [11, 10], [14.5, 10], [7.5, 10]], [angle(0), angle(90), angle(180), angle(270)])
    assert matched(query, [shown([4, 7], [angle(275), angle(92)])]) == [(1, 7), (3, 4)]
    assert matched(query, [shown([4, 7], [angle(3), angle(178)])]) == [(0, 4), (2, 7)]
    assert matched(query, [shown([7], [angle(178)])]) == [(2, 7)]  # an image that does not show the first


def test_a_point_counts_as_it_looks_in_the_image_where_it_is_most_similar():
    query = features([[10, 10]], [angle(0)])
    assert matched(query, [shown([4], [angle(80)]), shown([9, 4], [angle(0), angle(3)])]) == [(0, 4)]


def test_each_keypoint_has_one_point_and_each_point_one_keypoint():
    query = features([[10, 10], [11, 10]], [angle(0), angle(4)])
    assert matched(query, [shown([4], [angle(1)])]) == [(0, 4)]
    assert matched(features([[10, 10]], [angle(0)]), [shown([4, 7], [angle(9), angle(6)])]) == [(0, 7)]


def test_equally_similar_ones_are_still_matched_once():
    query = features([[10, 10], [11, 10]], [angle(0), angle(0)])
    assert len(matched(query, [shown([4, 7], [angle(1), angle(1)])])) == 1


def test_what_looks_too_different_is_no_match():
    query = features([[10, 10]], [angle(0)])
    image = [shown([4], [angle(30)])]  # 2 sin(15 deg) = 0.518 apart
    assert matched(query, image, max_distance=0.52) == [(0, 4)] and matched(query, image, max_distance=0.51) == []
    assert matched(query, [shown([4], [angle(0)])], max_distance=0.0) == [(0, 4)]  # the same is 0 apart


@pytest.mark.parametrize("kind", [np.uint8, np.float16, np.float32])
def test_lengths_of_descriptors_do_not_matter(kind):
    query = features([[10, 10]], np.array([[3, 4]], kind))
    assert matched(query, [shown([4], np.array([[60, 80]], kind))], max_distance=0.05) == [(0, 4)]


def test_a_long_descriptor_is_no_more_similar_than_a_short_one():
    long = 9 * np.array(angle(40))
    assert matched(features([[11, 10]], [angle(0)]), [shown([4, 7], [angle(20), long])]) == [(0, 4)]
    assert matched(features([[11, 10], [12, 10]], [angle(20), long]), [shown([7], [angle(0)])]) == [(0, 7)]


def test_nothing_to_compare_gives_no_matches():
    query = features([[10, 10]], [angle(0)])
    assert matched(query, []) == [] and matched(query, [shown([5], [angle(0)])]) == []
    assert matched(features([[99, 99]], [angle(0)]), [shown([4], [angle(0)])]) == []
    nowhere = near(query.keypoints, np.zeros((0, 2)), 3.0)  # no point projects into the picture
    assert not any(map(len, most_similar(query, nowhere, ROWS[:0], [shown([4], [angle(0)])], 0.5)))


def test_things_are_usually_as_far_apart_as_keypoints_from_their_second_nearest():
    query = features(np.zeros((3, 2)), [angle(0), angle(60), angle(120)])
    image = features(np.zeros((3, 2)), [angle(1), angle(61), angle(121)])
    # the second nearest are 61, 59 and 59 degrees away
    assert usual_distance(query, image) == pytest.approx(2 * np.sin(np.radians(59) / 2), rel=1e-4)
    assert usual_distance(query, image[np.array([0])]) == usual_distance(query[:0], image) == 0
    two = features(np.zeros((2, 2)), [angle(0), 7 * np.array(angle(60))])
    assert usual_distance(features([[1, 1]], [angle(0)]), two) == pytest.approx(1)  # 2 sin(30 deg)
    circle = features(np.zeros((40, 2)), [angle(9 * turn) for turn in range(40)])
    assert usual_distance(circle, circle) == pytest.approx(2 * np.sin(np.radians(9) / 2), rel=1e-4)
    for order in permutations(range(3)):
        assert usual_distance(query, image[np.array(order)]) == usual_distance(query, image)
