"""What was recorded one after the other."""

import pytest

from vloc.data.sequences import sequences_of

from .test_instants import PAIR, ROWS, capture


def names_of(rows: list[tuple[int, str, str]], rigs: list = PAIR, max_gap: int = 0) -> list[list[tuple[str, ...]]]:
    made = capture(rows, rigs)
    return [[i.names for i in sequence.instants] for sequence in sequences_of(made, made.images.names, max_gap)]


def test_the_cameras_of_a_rig_at_one_time_are_one_instant_of_its_sequence() -> None:
    assert names_of(ROWS) == [[("a0", "b0"), ("a1",), ("a2",), ("b2",)]]


def test_cameras_on_no_rig_are_sequences_of_their_own() -> None:
    assert names_of(ROWS, []) == [[("a0",), ("a1",), ("a2",)], [("b0",), ("b2",)]]


@pytest.mark.parametrize(("max_gap", "expected"), [(10, 1), (9, 0), (100, 1)])
def test_a_sequence_ends_where_the_gap_passes_the_threshold(max_gap: int, expected: int) -> None:
    rows = [(0, "a", "0"), (10, "a", "1")]
    assert len(names_of(rows, [], max_gap)) == expected


def test_unless_told_a_sequence_ends_after_ten_usual_steps() -> None:
    rows = [(time, "a", str(time)) for time in (0, 5, 10, 15, 65, 70, 121, 126)]
    assert names_of(rows, []) == [[("0",), ("5",), ("10",), ("15",), ("65",), ("70",)], [("121",), ("126",)]]


def test_one_time_alone_is_no_sequence() -> None:
    assert names_of([(0, "a", "a0"), (0, "b", "b0")]) == []


def test_times_and_body_are_those_of_the_rig() -> None:
    made = capture(ROWS, PAIR)
    (found,) = sequences_of(made, made.images.names)
    assert (found.body, found.times.tolist(), found.max_gap) == ("rig", [0, 10, 20, 21], 100)
