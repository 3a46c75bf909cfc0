"""What results depend on, as names and values that people read."""

import pytest
from squares import Table

from vloc.run.identity import differs_only_in, identify
from vloc.stage import Artifact, OnceStage

NAMELESS = OnceStage("nameless", 1, Table, lambda *_: Table([]))


def make(settings: None, runtime: None, poses: int, vectors: int) -> Table:
    raise NotImplementedError


NAMED = OnceStage("named", 1, Table, make)


def identity(stage: OnceStage, settings: object = None, **marks: str):
    return identify(stage, settings, [Artifact(0, mark) for mark in marks.values()])


def test_inputs_have_the_names_that_the_stage_gives_them_or_are_counted_from_one() -> None:
    assert identity(NAMED, poses="p", vectors="v").context == [("poses", "p"), ("vectors", "v")]
    assert identity(NAMELESS, first="p", second="v").context == [("input 1", "p"), ("input 2", "v")]


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (None, {}),
        (7, {"": 7}),
        (0, {"": 0}),
        ({"ends": (1, 2.5), "deep": {"none": None}}, {"ends.0": 1, "ends.1": 2.5, "deep.none": None}),
    ],
)
def test_settings_are_rows_of_dotted_names(settings: object, rows: dict[str, object]) -> None:
    assert identity(NAMELESS, settings).settings == rows


def test_another_input_alone_is_told_from_other_settings_and_other_inputs() -> None:
    old = identity(NAMED, 1, poses="p", vectors="v")
    assert differs_only_in(identity(NAMED, 1, poses="other", vectors="v"), old, ["poses"])
    assert not differs_only_in(identity(NAMED, 2, poses="other", vectors="v"), old, ["poses"])
    assert not differs_only_in(identity(NAMED, 1, poses="other", vectors="other"), old, ["poses"])
    assert not differs_only_in(identity(NAMED, 1, poses="other", vectors="v"), old, ["cameras"])
