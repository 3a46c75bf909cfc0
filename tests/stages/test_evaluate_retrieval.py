"""Recall of retrieved images whose poses are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.geometry.rigid import Rigid
from vloc.stages.evaluate_retrieval import evaluate_retrieval


def at(x: float, turned_deg: float = 0.0) -> Rigid:
    """A camera at (x, 0, 0), turned about the vertical."""
    c, s = np.cos(np.radians(turned_deg)), np.sin(np.radians(turned_deg))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return Rigid(rotation, -rotation @ np.array([x, 0, 0]))


PLACED = {"near.jpg": at(1), "turned.jpg": at(0, 90), "far.jpg": at(50), "nearest.jpg": at(0.5, 10)}
TRUTH = {"day/a.jpg": at(0), "night/b.jpg": at(0), "night/lost.jpg": at(500)}


def test_the_first_image_within_both_limits_decides() -> None:
    ranked = {"day/a.jpg": ["turned.jpg", "near.jpg"], "night/b.jpg": ["far.jpg", "turned.jpg"]}
    found = evaluate_retrieval(ranked, TRUTH, PLACED, [(4, 40), (0.6, 180)], [1, 2])
    assert found.first_near.tolist() == [[2, 1], [np.inf, 2]]
    assert [found.recall(threshold, [0, 1]) for threshold in (0, 1)] == [[0, 50], [50, 100]]
    # two images are near: of day/a.jpg none first and one among two, of night/b.jpg none
    assert found.share(0, [0, 1]) == [0, 25]


def test_figures_stand_for_every_condition_and_null_for_none() -> None:
    ranked = {"day/a.jpg": ["near.jpg"], "night/b.jpg": ["far.jpg"], "night/lost.jpg": ["far.jpg"]}
    rows = evaluate_retrieval(ranked, TRUTH, PLACED, [(4, 40)], [1]).to_json()["retrieval"]
    assert [(row["condition"], row["num_queries"], row["num_without_near"]) for row in rows] == [
        ("all", 2, 1),
        ("day", 1, 0),
        ("night", 1, 1),
    ]
    assert [row["recall"] for row in rows] == [{"1": 50}, {"1": 100}, {"1": 0}]
    lost = evaluate_retrieval({"night/lost.jpg": ["far.jpg"]}, TRUTH, PLACED, [(4, 40)], [1]).to_json()["retrieval"]
    assert (lost[0]["num_queries"], lost[0]["recall"]) == (0, {"1": None})


def test_unless_told_it_counts_within_a_room_and_as_kapture_pairs_images() -> None:
    rows = evaluate_retrieval({"day/a.jpg": ["near.jpg"]}, TRUTH, PLACED).to_json()["retrieval"]
    assert [(row["translation_m"], row["rotation_deg"]) for row in rows if row["condition"] == "all"] == [
        (4, 40),
        (25, 45),
    ]
    assert rows[0]["recall"].keys() == {"1", "5", "10", "20"}


def test_a_query_for_which_nothing_was_retrieved_is_a_miss() -> None:
    found = evaluate_retrieval({"day/a.jpg": []}, TRUTH, PLACED, [(4, 40)], [1])
    assert found.to_json()["retrieval"][0]["recall"] == {"1": 0}
    assert found.to_json()["queries"] == [{"name": "day/a.jpg", "first_near": [None]}]


def test_images_of_another_map_are_refused() -> None:
    with pytest.raises(DataError, match=r"1 retrieved images have no pose, such as 'x\.jpg'"):
        evaluate_retrieval({"day/a.jpg": ["near.jpg", "x.jpg"]}, TRUTH, PLACED)
    with pytest.raises(DataError, match="none of the 1 queries"):
        evaluate_retrieval({"other.jpg": ["near.jpg"]}, TRUTH, PLACED)
