"""Poolings of small maps worked by hand."""

import numpy as np
import pytest

from vloc.retrieval.pooling import crow, gem, mac, regions, rmac, split_signs, spoc


def channels(*rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_signs_become_channels_of_their_own() -> None:
    parts = split_signs(channels([[1, -2]], [[0, 3]]))
    assert parts.tolist() == [[[1, 0]], [[0, 3]], [[0, 2]], [[0, 0]]]


def test_means_of_power_one_are_means_and_of_a_high_power_maxima() -> None:
    dense = channels([[1, 3]], [[0, 4]])
    np.testing.assert_allclose(gem(dense, 1), [2, 2])
    np.testing.assert_allclose(gem(dense, 3), [14 ** (1 / 3), 32 ** (1 / 3)], rtol=1e-6)
    np.testing.assert_allclose(gem(dense, 60), mac(dense), rtol=0.02)


def test_sums_weigh_the_middle_most() -> None:
    corner, middle = np.zeros((2, 1, 7, 13), np.float32)
    corner[0, 0, 0], middle[0, 3, 6] = 1, 1
    away = (3**2 + 6**2) / (2 * (7 / 6) ** 2)
    np.testing.assert_allclose([*spoc(middle), *spoc(corner)], [1, np.exp(-away)], rtol=1e-5)


def test_a_channel_at_few_places_weighs_more_and_one_that_is_nowhere_nothing() -> None:
    dense = channels([[1, 1, 1, 1]], [[0, 0, 0, 2]], [[0, 0, 0, 0]])
    sums = np.array([1, 1, 1, 3])
    places = np.sqrt(sums / np.sqrt(12))
    expected = [places.sum() * np.log(1.25 / 1), 2 * places[3] * np.log(1.25 / 0.25), 0]
    np.testing.assert_allclose(crow(dense), expected, rtol=1e-5)


def test_regions_of_a_square_are_one_and_four_and_nine() -> None:
    found = regions(12, 12)
    assert [side for _, _, side in found] == [12] + [8] * 4 + [6] * 9
    assert found[1:5] == [(0, 0, 8), (0, 4, 8), (4, 0, 8), (4, 4, 8)]


@pytest.mark.parametrize(("height", "width"), [(12, 20), (20, 12)])
def test_the_longer_side_has_more_regions_the_largest_overlapping_by_about_two_fifths(height: int, width: int) -> None:
    largest = [place for place in regions(height, width) if place[2] == 12]
    starts = sorted(max(top, left) for top, left, _ in largest)
    assert starts == [0, 8]  # 4 of 12 in common; three regions would have 8


def test_a_long_side_has_as_many_regions_as_overlap_by_most_nearly_two_fifths() -> None:
    largest = [left for _, left, side in regions(12, 40) if side == 12]
    assert largest == [0, 7, 14, 21, 28]  # 5 of 12 in common; four regions would have 2.7, six 6.4


def test_regions_stay_inside_maps_of_any_shape() -> None:
    for height, width in [(1, 1), (1, 40), (3, 2), (60, 9)]:
        assert all(top + side <= height and left + side <= width for top, left, side in regions(height, width))


def test_every_region_counts_alike() -> None:
    dense = channels([[5, 0], [0, 0]], [[0, 0], [0, 0.1]])
    # 2 x 2: (5, 0.1) / |.|; four of 1 x 1, two of them blank: (1, 1); nine of 1 x 1 at rows and columns 0, 0, 1: (4, 1)
    whole = np.array([5, 0.1]) / np.hypot(5, 0.1)
    np.testing.assert_allclose(rmac(dense), whole + np.array([5, 2]), rtol=1e-5)
