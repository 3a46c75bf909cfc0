"""How long a run will take, by how long the last one did."""

from __future__ import annotations

from pathlib import Path

import pytest
from squares import POWERS, SUMS, Numbers, Power

from vloc.run.plan import PlanRow
from vloc.run.progress import Silent
from vloc.run.timings import Timing, expected_seconds, read_timings, seconds_of_later, told, write_timings
from vloc.run.workspace import Workspace

PAUSE = 0.02


class Notes(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        self.lines.append(f"{stage}: {todo} of {total} ({reason})")

    def note(self, text: str) -> None:
        self.lines.append(text)


def run_once(folder: Path, count: int, reporter: Notes | None = None, *, dry_run: bool = False) -> list[PlanRow]:
    with Workspace(folder, reporter=reporter, dry_run=dry_run) as work:
        powers = work.each(POWERS, Numbers.first(count), Power(pause=PAUSE))
        sums = work.once(SUMS, None, powers)
        _ = sums.value  # which a dry run has to have, to go on
        work.publish("manifest.json", {})
    return work.plan


def test_a_dry_run_says_how_long_what_is_left_will_take(tmp_path: Path) -> None:
    run_once(tmp_path, 10)
    assert read_timings(tmp_path)["powers"].items == 10
    notes = Notes()
    plan = run_once(tmp_path, 12, notes, dry_run=True)
    each = read_timings(tmp_path)["powers"].seconds
    assert each > PAUSE / 4  # of wall time: several work at once
    assert [row.seconds for row in plan[:1]] == pytest.approx([2 * each])
    assert notes.lines[0].endswith(", about 0 s)") and "in all: about 0 s or more" in notes.lines[-1]
    assert "unknown until sums has run; by the share of what is new, about" in notes.lines[-2]


def test_nothing_to_do_takes_no_time(tmp_path: Path) -> None:
    run_once(tmp_path, 4)
    notes = Notes()
    assert [row.seconds for row in run_once(tmp_path, 4, notes, dry_run=True)] == [0, 0]
    assert notes.lines[-1] == "in all: about 0 s"


def test_what_was_never_run_has_no_time(tmp_path: Path) -> None:
    plan = run_once(tmp_path, 4, dry_run=True)
    assert plan[0].seconds is None and not (tmp_path / "timings.json").exists()


def test_a_mean_over_many_items_is_not_replaced_by_one_over_few(tmp_path: Path) -> None:
    def remember(total: int, todo: int, seconds: float) -> Timing:
        write_timings(tmp_path, [PlanRow("extract", total, todo, "")], {"extract": seconds})
        return read_timings(tmp_path)["extract"]

    assert remember(100, 100, 50.0) == Timing(0.5, 100, 100)
    assert remember(104, 4, 40.0) == Timing(0.5, 100, 104)
    assert remember(204, 100, 20.0) == Timing(0.2, 100, 204)
    assert remember(204, 0, 0.0) == Timing(0.2, 100, 204)


def test_later_stages_count_by_the_share_of_what_is_new_and_whole_ones_in_full() -> None:
    known = {"extract": Timing(1, 100, 100), "match": Timing(0.1, 1000, 1000), "join": Timing(7, 1, 1)}
    plan = [PlanRow("extract", 100, 4, "")]
    assert seconds_of_later(known, plan) == pytest.approx(0.04 * 100 + 7)
    assert expected_seconds(known, "extract", 4) == 4 and expected_seconds(known, "describe", 1) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"extract": 5}', '{"extract": {"seconds": "long"}}'])
def test_a_file_that_cannot_be_read_costs_nothing_but_the_estimate(tmp_path: Path, text: str) -> None:
    (tmp_path / "timings.json").write_text(text)
    assert read_timings(tmp_path) == {}
    write_timings(tmp_path, [PlanRow("extract", 2, 2, "")], {"extract": 1.0})
    assert read_timings(tmp_path) == {"extract": Timing(0.5, 2, 2)}


def test_times_are_told_in_seconds_or_minutes() -> None:
    assert (told(3.4), told(89), told(90), told(600)) == ("3 s", "89 s", "2 min", "10 min")
