"""Points that cover images: worked by hand, against every other choice, and on images that see little."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.solvers.point_cover import cover_order


def order_of(members, num_groups, weights=None):
    groups = np.array([group for own in members for group in own], np.int32)
    starts = np.cumsum([0, *map(len, members)], dtype=np.int64)
    weights = np.ones(len(members)) if weights is None else np.array(weights, np.float64)
    return cover_order(groups, starts, weights, num_groups).tolist()


def worth(members, num_groups):
    counts = np.zeros(num_groups)
    for own in members:
        counts[list(own)] += 1
    return float(np.log1p(counts).sum())


def test_the_point_that_most_images_see_comes_first_then_those_that_show_others():
    # images 0, 1 and 2 see points 0 and 1, image 3 sees point 2 alone: point 2 adds log 2, point 1 adds 3 log 3/2
    assert order_of([(0, 1, 2), (0, 1, 2), (3,)], 4) == [0, 1, 2]
    # of two images the third point adds less than log 2
    assert order_of([(0, 1), (0, 1), (2,)], 3) == [0, 1, 2]
    assert order_of([(0,), (0,), (1,)], 2) == [0, 2, 1]


def test_of_equal_points_the_heavier_one_comes_first():
    assert order_of([(0,), (0,), (0,)], 1, [0.5, 1.0, 0.7]) == [1, 2, 0]


def test_points_that_nobody_sees_come_last_and_no_points_are_no_order():
    assert order_of([(), (0,), ()], 1) == [1, 0, 2]
    assert order_of([], 3) == []


@given(st.lists(st.sets(st.integers(0, 4), max_size=4), min_size=1, max_size=8))
def test_every_beginning_is_within_a_constant_of_the_best_choice(members):
    members = [tuple(sorted(own)) for own in members]
    order = order_of(members, 5)
    assert sorted(order) == list(range(len(members)))
    for count in range(1, len(members) + 1):
        best = max(worth(chosen, 5) for chosen in combinations(members, count))
        assert worth([members[point] for point in order[:count]], 5) >= (1 - 1 / np.e) * best - 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_images_that_see_little_keep_more_than_by_chance(seed):
    rng = np.random.default_rng(seed)
    crowded = [tuple(rng.choice(10, rng.integers(2, 8), replace=False)) for _ in range(900)]
    lonely = [(10 + int(rng.integers(10)),) for _ in range(100)]
    order = order_of(crowded + lonely, 20)[:200]
    left = np.bincount([group for point in order for group in (crowded + lonely)[point]], minlength=20)[10:]
    by_chance = 0.2 * np.bincount([own[0] for own in lonely], minlength=20)[10:]
    assert left.min() >= 2 * by_chance.mean()
