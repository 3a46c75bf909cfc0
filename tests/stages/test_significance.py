"""Intervals and differences against formulas worked by hand."""

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.geometry.rigid import Rigid
from vloc.stages.evaluate import Evaluation, evaluate
from vloc.stages.significance import differences, interval

Z2 = 1.959964**2


def run_of(hits: str, limits: tuple[float, float] = (1.0, 1.0)) -> Evaluation:
    """Queries a, b, c ...: `+` is a perfect pose, `-` is none."""
    truth = {chr(ord("a") + row): Rigid.identity() for row in range(len(hits))}
    found = {name: pose for (name, pose), hit in zip(truth.items(), hits, strict=True) if hit == "+"}
    return evaluate(found, truth, [limits])


def test_the_interval_of_none_or_all_is_wilsons_and_not_nothing():
    assert interval(np.zeros(8, bool)) == pytest.approx((0.0, 100 * Z2 / (8 + Z2)), abs=1e-3)
    assert interval(np.ones(8, bool)) == pytest.approx((100 * 8 / (8 + Z2), 100.0), abs=1e-3)


def test_of_many_queries_the_interval_is_that_of_a_bootstrap():
    hits = np.arange(2000) < 1500
    drawn = np.random.default_rng(1).choice(hits, (4000, 2000)).mean(axis=1)
    assert interval(hits) == pytest.approx(100 * np.quantile(drawn, [0.025, 0.975]), abs=0.2)


def test_a_difference_says_which_queries_it_is_made_of_and_how_likely_by_chance():
    (told,) = differences(run_of("++++----"), run_of("++-+++--"))
    assert (told.percent, told.gained, told.lost) == (12.5, ("e", "f"), ("c",))
    assert told.low < 0 < told.high and told.chance == 1.0  # 2 of 3 fair coins
    (clear,) = differences(run_of("-" * 8), run_of("+" * 8))
    assert clear.chance == pytest.approx(2 * 0.5**8) and clear.low == clear.high == 100.0
    (same,) = differences(run_of("+-"), run_of("+-"))
    assert (same.percent, same.low, same.high, same.chance) == (0.0, 0.0, 0.0, 1.0)


def test_the_interval_of_a_difference_is_that_of_resampled_queries():
    first, second = run_of("+" * 30 + "-" * 30), run_of("+" * 20 + "-" * 10 + "+" * 20 + "-" * 10)
    rows = np.random.default_rng(2).integers(60, size=(8000, 60))
    drawn = 100 * (second.hits[0][rows].mean(axis=1) - first.hits[0][rows].mean(axis=1))
    (told,) = differences(first, second)
    assert (told.low, told.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1.7)


def test_runs_over_other_queries_or_thresholds_are_not_compared():
    with pytest.raises(DataError, match="1 queries are of one run alone, such as 'c'"):
        differences(run_of("++"), run_of("+++"))
    with pytest.raises(DataError, match="other thresholds"):
        differences(run_of("++"), run_of("++", (2.0, 2.0)))
