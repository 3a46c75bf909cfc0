"""What a run tells, on a terminal and elsewhere."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from squares import Numbers, run_all

from vloc.run import progress
from vloc.run.progress import Lines, Live, Silent, reporter_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_say_what_is_done_and_why(tmp_path: Path) -> None:
    stream = io.StringIO()
    run_all(tmp_path, Numbers.first(6, broken=frozenset({"a2"})), reporter=Lines(stream))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "powers: 6 of 6 to do (new)"
    assert lines[1].startswith("powers: 6 done in ")
    assert lines[2] == "powers: 1 failed"
    assert lines[3] == "sums: 1 of 1 to do (new)"


def test_plain_lines_say_when_nothing_is_to_do(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(6))
    stream = io.StringIO()
    run_all(tmp_path, Numbers.first(6), reporter=Lines(stream))
    assert stream.getvalue().splitlines() == ["powers: 6 up to date", "sums: 1 up to date"]


def test_the_live_list_ends_with_every_stage_and_its_count(tmp_path: Path) -> None:
    stream = Terminal()
    run_all(tmp_path, Numbers.first(6, broken=frozenset({"a2"})), reporter=Live(stream))
    last = stream.getvalue()[-600:]
    assert "powers" in last
    assert "6/6" in last
    assert "1 failed" in last
    assert "sums" in last


def test_the_live_list_closes_when_the_run_breaks(tmp_path: Path) -> None:
    live = Live(Terminal())
    live.start("powers", 3, 3, "new")
    live.close()
    live.note("over")
    live.close()


def test_the_reporter_suits_the_stream() -> None:
    assert isinstance(reporter_for(stream=Terminal()), Live)
    assert isinstance(reporter_for(stream=io.StringIO()), Lines)
    assert isinstance(reporter_for(quiet=True), Silent)


def test_the_workspace_imports_without_rich_hdf5_or_opencv() -> None:
    code = "import sys, vloc.run.workspace; print([m for m in ('rich', 'h5py', 'cv2', 'torch') if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert run.stdout.strip() == "[]"


def test_plain_lines_tell_rate_and_time_left_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 109.0, 112.0, 113.0, 124.0, 128.0])  # start, four items, finish
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    lines = Lines(stream)
    lines.start("match", 7, 4, "resumed")
    for _ in range(4):
        lines.advance(failed=False)
    lines.finish(failures=0)
    assert stream.getvalue().splitlines() == [
        "match: 4 of 7 to do (resumed)",
        "match: 2/4, 0.2/s, 12 s left",  # 2 in 12 s
        "match: 4/4, 0.2/s, 0 s left",  # 12 s after the line before
        "match: 4 done in 28.0 s (0.1/s)",
    ]


def test_the_live_list_counts_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    live = Live(stream)
    live.start("match", 7, 4, "resumed")
    live.advance(failed=False)
    live.advance(failed=True)
    live.finish(failures=1)
    live.close()
    last = stream.getvalue()[-400:]
    assert "5/7" in last and "1 failed" in last


def test_the_live_list_tells_items_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live(Terminal())
    live.start("match", 7, 4, "resumed")
    clock = iter([live._began + 1.0, live._began + 4.0])
    with monkeypatch.context() as patched:
        patched.setattr(progress.time, "monotonic", lambda: next(clock, live._began + 4.0))
        live.advance(failed=False)
        live.advance(failed=False)
    assert live._progress is not None and [task.fields["rate"] for task in live._progress.tasks] == ["0.5/s"]
    live.close()
