"""Who may be given what, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.taken import Taken
from vloc.errors import ConfigError
from vloc.registry import configure
from vloc.retrieval.filters import Choice, FilterConfig

NAN = float("nan")


def taken(*rows: tuple[str, int, str, float]) -> Taken:
    """(name, timestamp, device, x of its centre)."""
    names, times, devices, xs = zip(*rows, strict=True)
    ids = tuple(sorted(set(devices)))
    centers = np.array([[x, 0, 0] for x in xs], np.float64)
    return Taken(names, np.array(times), np.array([ids.index(d) for d in devices], np.int32), ids, centers)


IMAGES = taken(("a/1.jpg", 10, "left", 0.0), ("a/2.jpg", 20, "right", 5.0), ("b/1.jpg", 30, "left", 9.0))
QUERIES = taken(("a/9.jpg", 12, "phone", 1.0), ("c/9.jpg", 40, "phone", NAN), ("9.jpg", 30, "phone", 9.0))


def allowed(settings: dict[str, object], queries: Taken | None = QUERIES) -> list[list[int]]:
    """The rows that each query may be given."""
    config = configure(FilterConfig, settings, "filter")
    mask = Choice(config, queries, IMAGES).allowed()(np.arange(3))
    return [np.flatnonzero(row).tolist() for row in mask]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"cameras": "left"}, [[0, 2]] * 3),
        ({"cameras": "left/right"}, [[0, 1, 2]] * 3),
        ({"times": "10/20"}, [[0, 1]] * 3),
        ({"max_distance": 4.0}, [[0, 1], [0, 1, 2], [1, 2]]),
        ({"min_time_apart": 10}, [[2], [0, 1, 2], [0, 1]]),
        ({"other_folders": 1}, [[2], [0, 1, 2], [0, 1, 2]]),
        ({"cameras": "left", "other_folders": 1, "min_time_apart": 25}, [[], [0], []]),
    ],
)
def test_each_setting_leaves_out_what_it_says(settings: dict[str, object], expected: list[list[int]]) -> None:
    assert allowed(settings) == expected


def test_without_queries_only_the_images_count() -> None:
    assert allowed({"cameras": "right"}, None) == [[1]] * 3


def test_rows_are_asked_for_in_any_blocks() -> None:
    choice = Choice(FilterConfig(max_distance=4.0, other_folders=1), QUERIES, IMAGES).allowed()
    assert choice(np.array([2])).tolist() == choice(np.arange(3))[2:].tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cameras": "left/top"}, "'top': not in the map: choose from left, right"),
        ({"times": "10"}, "expected two timestamps"),
        ({"max_distance": -1}, "max_distance"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        allowed(settings)


def test_queries_of_which_nobody_knows_where_they_are_cannot_be_chosen_by_place() -> None:
    with pytest.raises(ConfigError, match="no poses"):
        allowed({"max_distance": 4.0}, taken(*[(f"{row}.jpg", 1, "phone", NAN) for row in range(3)]))


def test_what_was_taken_is_stored_and_found_by_name() -> None:
    again = Taken.from_arrays(IMAGES.to_arrays()).of(["b/1.jpg", "a/1.jpg"], np.zeros((2, 3)))
    assert again.names == ("b/1.jpg", "a/1.jpg") and again.timestamps.tolist() == [30, 10]
    assert [again.device_ids[row] for row in again.devices] == ["left", "left"] and not again.centers.any()
    nothing = IMAGES.of([])
    assert Taken.from_arrays(nothing.to_arrays()).names == ()
