"""Which poses go together, against trying all choices."""

from itertools import combinations

import numpy as np
import pytest

from vloc.solvers.consistency import JUMP, LEFT_OUT, connected


def costs_along(places: np.ndarray, speed: float = 1.0):
    """Of a body that moves by `speed` from row to row, give or take 0.1 a row."""

    def costs(first: np.ndarray, last: np.ndarray) -> np.ndarray:
        return ((places[last] - places[first] - speed * (last - first)) / (0.1 * (last - first))) ** 2

    return costs


def kept(places: list[float]) -> list[int]:
    found = connected(np.full(len(places), 0.9), costs_along(np.array(places)))
    return found.kept.tolist()


def test_all_that_go_together_are_kept() -> None:
    assert kept([0, 1.1, 2, 2.9, 4]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("wrong", [[0], [3], [6], [2, 3], [1, 4]])
def test_wrong_poses_are_left_out_wherever_they_are(wrong: list[int]) -> None:
    places = np.arange(7.0)
    places[wrong] += 30 + 5 * np.arange(len(wrong)) ** 2
    assert kept(places.tolist()) == [i for i in range(7) if i not in wrong]


def test_a_body_that_was_carried_away_jumps_and_keeps_both_sides() -> None:
    found = connected(np.full(16, 0.9), costs_along(np.append(np.arange(8.0), 50 + np.arange(8.0))))
    assert found.kept.tolist() == list(range(16)) and np.flatnonzero(found.jumps).tolist() == [8]


def test_of_two_that_contradict_each_other_the_one_that_is_believed_less_goes() -> None:
    found = connected(np.array([0.6, 0.9]), costs_along(np.array([0.0, 9.0])))
    assert found.kept.tolist() == [1] and not found.jumps.any()


@pytest.mark.parametrize("seed", range(5))
def test_no_choice_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.arange(7) + np.where(rng.random(7) < 0.4, rng.normal(0, 2, 7), 0)
    confidences, costs = rng.uniform(0.5, 1, 7), costs_along(places)

    def total(rows: tuple[int, ...]) -> float:
        steps = np.minimum(costs(np.array(rows[:-1], int), np.array(rows[1:], int)), JUMP)
        return float(steps.sum() + LEFT_OUT * (confidences.sum() - confidences[list(rows)].sum()))

    every = [rows for size in range(1, 8) for rows in combinations(range(7), size)]
    least = min(every, key=total)
    found = connected(confidences, costs)
    assert found.kept.tolist() == list(least)
    with_fourth = min((rows for rows in every if 3 in rows), key=total)
    assert found.worse[3] == pytest.approx(total(with_fourth) - total(least))


def test_no_poses_give_none() -> None:
    assert connected(np.zeros(0), costs_along(np.zeros(0))).kept.tolist() == []
