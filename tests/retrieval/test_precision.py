import numpy as np
import pytest

from vloc.retrieval.precision import average_precision, precision_at


def official_average_precision(places: list[int], num_relevant: int) -> float:
    """`compute_ap` of the authors' evaluation, step by step."""
    total = 0.0
    for found, place in enumerate(places):
        before = 1.0 if place == 0 else found / place
        total += (before + (found + 1) / (place + 1)) / 2 / num_relevant
    return total


@pytest.mark.parametrize("places", [[], [0], [3], [0, 1, 2], [1, 4, 5, 20]])
def test_it_is_the_area_that_the_official_evaluation_sums_up(places: list[int]) -> None:
    assert average_precision(np.array(places, np.int64), 5) == pytest.approx(official_average_precision(places, 5))


def test_precision_looks_no_further_than_the_last_relevant_image() -> None:
    places = np.array([0, 2], np.int64)
    assert [precision_at(places, k) for k in (1, 2, 3, 10)] == pytest.approx([1, 1 / 2, 2 / 3, 2 / 3])
    assert precision_at(np.zeros(0, np.int64), 10) == 0
