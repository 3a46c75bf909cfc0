"""Curves of errors: of every run or condition, and the same each time."""

import numpy as np

from vloc.geometry.rigid import Rigid
from vloc.page.curves import curves
from vloc.stages.evaluate import evaluate

TRUTH = {f"{part}/{i}.jpg": Rigid(np.eye(3), np.array([float(i), 0, 0])) for part in ("day", "night") for i in range(4)}


def test_each_name_has_a_curve_with_its_number_of_queries() -> None:
    found = evaluate({name: TRUTH[name] for name in list(TRUTH)[:5]}, TRUTH)
    drawn = curves({"all": found, **found.by_condition()})
    assert all(label in drawn for label in ("all (8)", "day (4)", "night (4)", "queries, %"))
    assert drawn == curves({"all": found, **found.by_condition()})


def test_a_run_without_any_pose_is_drawn_too() -> None:
    assert "none (8)" in curves({"none": evaluate({}, TRUTH)})


def test_without_metres_the_axis_says_so() -> None:
    assert "map units" in curves({"run": evaluate(TRUTH, TRUTH, unit="map units")})
