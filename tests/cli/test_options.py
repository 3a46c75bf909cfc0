"""Small pieces of text that flags stand for."""

from __future__ import annotations

import pytest

from vloc.cli.messages import failure_lines, summary_of_failures
from vloc.cli.options import parse_threshold
from vloc.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"), [("0.25,2", (0.25, 2.0)), (" 5 , 10 ", (5.0, 10.0)), ("1e-2,.5", (0.01, 0.5))]
)
def test_a_threshold_is_metres_and_degrees(text: str, expected: tuple[float, float]) -> None:
    assert parse_threshold(text) == expected


@pytest.mark.parametrize("text", ["", "0.25", "1,2,3", "a,b", "0.25 2"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"0\.25,2"):
        parse_threshold(text)


@pytest.mark.parametrize("text", ["nan,2", "-1,2", "1,inf", "1,-2"])
def test_a_threshold_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"0\.25,2"):
        parse_threshold(text)


def test_an_item_that_failed_in_two_stages_is_listed_once() -> None:
    failures = {
        "extract": {"a.jpg": "a.jpg: broken"},
        "describe": {"a.jpg": "later"},
        "match": {("a.jpg", "b.jpg"): "x"},
    }
    assert summary_of_failures(failures) == {"a.jpg": "a.jpg: broken", "a.jpg b.jpg": "x"}


def test_failures_are_counted_and_each_has_its_reason() -> None:
    text = failure_lines({"a.jpg": "a.jpg: broken", "b.jpg": "empty file"})
    assert text == "vloc: 2 failed, the others went on:\n  a.jpg: broken\n  b.jpg: empty file\n"


def test_no_failures_print_nothing() -> None:
    assert failure_lines({}) == ""
