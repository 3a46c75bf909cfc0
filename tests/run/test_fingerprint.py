"""Fingerprints: equal for equal values, in every process; different when anything differs."""

import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.run.fingerprint import fingerprint


@dataclass(frozen=True)
class Settings:
    ratio: float = 0.8
    sizes: tuple[int, ...] = (1, 2)


def later_settings(default: int) -> type:
    """Settings as a later version has them: with one more."""

    @dataclass(frozen=True)
    class Settings:
        ratio: float = 0.8
        sizes: tuple[int, ...] = (1, 2)
        threads: int = field(default=default, metadata={"later": True})

    return Settings


@dataclass(frozen=True)
class Other:
    ratio: float = 0.8
    sizes: tuple[int, ...] = (1, 2)


DIFFERENT = [
    None, True, 1, 1.0, "1", b"1", 0, -1, "", (), (1,), (1, 2), ((1,), 2), ("ab", "c"), ("a", "bc"), {"a": 1}, {"a": 2},
    Settings(), Settings(0.75), Settings(sizes=(1, 2, 3)), Other(),
    np.zeros(2), np.zeros(3), np.zeros((1, 2)), np.zeros(2, np.float32), np.ones(2), np.zeros(2, np.int64),
]  # fmt: skip


def test_values_that_differ_in_type_shape_nesting_or_content_differ() -> None:
    assert len({fingerprint(value) for value in DIFFERENT}) == len(DIFFERENT)


def test_another_process_gives_the_same_fingerprint() -> None:
    code = "from vloc.run.fingerprint import fingerprint; print(fingerprint('a', 1, 2.5, (b'x', None), {'k': True}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint("a", 1, 2.5, (b"x", None), {"k": True})


def test_memory_layout_does_not_count() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert (
        fingerprint(array)
        == fingerprint(np.asfortranarray(array))
        == fingerprint(np.arange(12.0)[::2].reshape(2, 3) / 2)
    )


def test_order_of_a_mapping_does_not_count() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_a_setting_that_came_later_counts_where_it_is_not_what_was_done_before() -> None:
    later = later_settings(1)
    assert fingerprint(later()) == fingerprint(Settings()) != fingerprint(later(threads=2))
    assert fingerprint(later(0.75)) == fingerprint(Settings(0.75))


def test_numpy_numbers_count_as_python_numbers() -> None:
    assert fingerprint(np.int32(3), np.float64(0.5), np.bool_(True)) == fingerprint(3, 0.5, True)


def test_a_plugin_counts_with_its_registered_name() -> None:
    @dataclass(frozen=True)
    class Renamed:
        ratio: float = 0.8
        sizes: tuple[int, ...] = (1, 2)

    Renamed.plugin_name = "Settings"
    assert fingerprint(Renamed()) == fingerprint(Settings())


@pytest.mark.parametrize("value", [len, object(), {1, 2}, np.array([object()])])
def test_a_value_whose_content_cannot_be_seen_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot fingerprint"):
        fingerprint(value)


@given(st.lists(st.text()), st.lists(st.text()))
def test_lists_of_texts_are_equal_exactly_when_their_fingerprints_are(left: list[str], right: list[str]) -> None:
    assert (fingerprint(left) == fingerprint(right)) == (left == right)
