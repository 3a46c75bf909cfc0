"""Dry runs and reasons: what will be redone, and why."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from squares import POWERS, SQUARES, SUMS, Numbers, Power, Table, run_all

from vloc.run.plan import PlanRow
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.stage import Artifact, EachStage, OnceStage


def planned(folder: Path, items: Numbers, settings: Power = SQUARES, *, look: bool = False) -> list[tuple]:
    with Workspace(folder, dry_run=True) as work:
        sums = work.once(SUMS, None, work.each(POWERS, items, settings))
        if look:
            sums.value  # noqa: B018
        work.each(POWERS, Numbers(["a1"]), Power(9.0))
    return [(row.stage, row.todo, row.reason) for row in work.plan][: 3 if look else 2]


def test_a_first_run_is_new(tmp_path: Path) -> None:
    assert planned(tmp_path / "map", Numbers.first(3)) == [("powers", 3, "new"), ("sums", 1, "new")]
    assert not (tmp_path / "map").exists()


def test_a_finished_run_is_up_to_date(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    assert planned(tmp_path, Numbers.first(3)) == [("powers", 0, "up to date"), ("sums", 0, "up to date")]


def test_added_items_are_counted_and_change_what_follows(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    assert planned(tmp_path, Numbers.first(5)) == [
        ("powers", 2, "2 of 5 items new or changed"),
        ("sums", 1, "inputs changed: powers"),
    ]


def test_a_changed_setting_is_named_with_both_values(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    assert planned(tmp_path, Numbers.first(3), Power(0.75))[0] == ("powers", 3, "changed setting: exponent 2.0 -> 0.75")


def test_a_raised_stage_version_is_named(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    with Workspace(tmp_path, dry_run=True) as work:
        work.each(EachStage("powers", 2, Table, POWERS.start), Numbers.first(3), Power())
    assert work.plan == [PlanRow("powers", 3, 3, "stage version 1 -> 2")]


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    class Crashing(Numbers):
        def load(self, index: int):
            if index == 9:
                raise ValueError("crash")
            return super().load(index)

    with pytest.raises(ValueError, match="crash"):
        run_all(tmp_path, Crashing.first(12))
    assert planned(tmp_path, Numbers.first(12))[0] == ("powers", 4, "resumed: 4 of 12 left")


def test_a_plan_ends_where_a_value_is_needed_that_is_not_there(tmp_path: Path) -> None:
    assert planned(tmp_path, Numbers.first(3), look=True)[2] == ("later stages", 0, "unknown until sums has run")


def test_a_plan_goes_on_past_values_that_are_there(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    assert planned(tmp_path, Numbers.first(3), look=True)[2][0] == "powers"


def test_a_dry_run_ends_where_the_manifest_would_be_written(tmp_path: Path) -> None:
    with Workspace(tmp_path, dry_run=True) as work:
        work.publish("manifest.json", {})
        raise AssertionError("went on")
    assert (work.plan, list(tmp_path.iterdir())) == ([], [])


def test_changed_inputs_are_called_as_the_stage_calls_them(tmp_path: Path) -> None:
    def run(settings: None, runtime: Runtime, poses: int, vectors: int) -> Table:
        return Table(np.zeros(1))

    stage = OnceStage("pair", 1, Table, run)
    for vectors in (1, 2):
        with Workspace(tmp_path) as work:
            work.once(stage, None, Artifact(1, "a"), Artifact(vectors, str(vectors)))
    assert work.plan[0].reason == "inputs changed: vectors"


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    planned(tmp_path, Numbers.first(9), Power(5.0), look=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_plugin_is_compared_with_its_own_kind(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Sift(Power):
        size: int = 1
        plugin_name = "sift"

    @dataclass(frozen=True)
    class Aliked(Power):
        size: int = 1
        plugin_name = "aliked"

    stage = EachStage("extract", 1, Table, POWERS.start, 4)
    reasons = []
    for plugin in (Sift(), Aliked(), Sift(size=2)):
        with Workspace(tmp_path) as work:
            work.each(stage, Numbers.first(2), plugin)
        reasons.append(work.plan[0].reason)
    assert reasons == ["new", "changed setting: plugin sift -> aliked", "changed setting: size 1 -> 2"]


def test_a_store_that_cannot_be_read_is_named_where_it_would_be_the_reason(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    (about,) = tmp_path.glob("powers-*/store.json")
    about.write_text("{")
    reason = f"new; {about.parent.name}/store.json is broken and explains nothing"
    assert planned(tmp_path, Numbers.first(3), Power(0.75))[0] == ("powers", 3, reason)


def test_two_plugins_of_one_run_do_not_explain_each_other(tmp_path: Path) -> None:
    with Workspace(tmp_path) as work:
        work.each(POWERS, Numbers.first(2), Power(1.0))
        work.each(POWERS, Numbers.first(2), Power(2.0))
    assert [row.reason for row in work.plan] == ["new", "new"]


def test_an_error_in_a_dry_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"), Workspace(tmp_path, dry_run=True):
        raise RuntimeError("broken")
