"""Keypoints of places, worked by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vloc.matching.quantised import NOWHERE, nearest, one_to_one, quantised


def places(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 2)


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_the_place_that_most_pairs_agree_on_is_the_keypoint_of_its_cell() -> None:
    found = quantised(places((4.5, 4.5), (5.1, 4.6), (4.5, 4.5), (9, 9)), scores(0.4, 0.7, 0.4, 0.5), 2.0, 10)
    np.testing.assert_array_equal(found.keypoints, places((4.5, 4.5), (9, 9)))
    np.testing.assert_allclose(found.scores, [1.5, 0.5], rtol=1e-6)
    assert found.descriptors.shape == (2, 0) and (found.scales > 0).all()


def test_the_strongest_cells_are_kept_and_of_equal_ones_the_first_place() -> None:
    every = places((1, 1), (5, 1), (1, 5), (5.5, 1))
    found = quantised(every, scores(0.2, 0.3, 0.6, 0.3), 2.0, 2)
    np.testing.assert_array_equal(found.keypoints, places((1, 5), (5, 1)))


def test_no_places_are_no_keypoints() -> None:
    found = quantised(places(), scores(), 2.0, 10)
    assert len(found) == 0 and found.keypoints.dtype == np.float32
    assert nearest(places((1, 1)), found.keypoints, 2.0).tolist() == [NOWHERE]
    assert len(nearest(places(), places((1, 1)), 2.0)) == 0


@given(arrays(np.float32, (40, 2), elements=st.floats(0, 30, width=32)))
def test_no_two_keypoints_share_a_cell_and_every_place_has_one_in_its_own(every: np.ndarray) -> None:
    found = quantised(every, np.ones(40, np.float32), 3.0, 1000)
    cells = np.floor(found.keypoints / 3).tolist()
    assert len(set(map(tuple, cells))) == len(cells)
    assert set(map(tuple, np.floor(every / 3).tolist())) == set(map(tuple, cells))


def test_a_place_goes_to_the_nearest_keypoint_within_the_radius() -> None:
    keypoints = places((0, 0), (3, 0), (3, 0), (10, 10))
    found = nearest(places((1.4, 0), (2, 0), (3, 2), (3, 2.1), (-5, 0)), keypoints, 2.0)
    assert found.tolist() == [0, 1, 1, NOWHERE, NOWHERE]


def test_keypoints_are_in_one_match_at_most_the_strongest() -> None:
    found = one_to_one(rows(2, 2, 0, NOWHERE, 1), rows(5, 6, 5, 7, NOWHERE), scores(0.5, 0.9, 0.8, 1, 1))
    assert found.indices.tolist() == [[0, 5], [2, 6]]
    np.testing.assert_allclose(found.scores, [0.8, 0.9], rtol=1e-6)
    assert found.indices.dtype == np.uint32 and len(one_to_one(rows(), rows(), scores())) == 0
