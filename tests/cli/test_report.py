"""`vloc report` and `vloc localize --report`: runs as one page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.cli.run_record import read_record
from vloc.config import LocalizationConfig


@pytest.fixture(scope="module")
def runs(job, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same queries localized twice, by fewer images the second time, with a page of the first."""
    folder = tmp_path_factory.mktemp("runs")
    first, second = folder / "first.txt", folder / "second.txt"
    command = ["localize", str(job.map), str(job.queries)]
    assert main([*command, str(first), "--report", str(folder / "page.html"), "--quiet"]) in (0, 3)
    assert main([*command, str(second), "--num-retrieved", "2", "--quiet"]) in (0, 3)
    return first, second


def test_a_run_writes_down_what_it_was(runs: tuple[Path, Path], job) -> None:
    record = read_record(runs[1])
    assert record.config.retrieve.num_retrieved == 2
    assert replace(read_record(runs[0]).config, match=None) == LocalizationConfig()
    assert record.map == str(job.map.resolve()) and record.queries == f"kapture:{job.queries.resolve()}"
    assert record.commands[0].startswith("vloc localize ") and record.seconds["retrieve"] > 0
    assert "extract" in read_record(runs[0]).seconds and "extract" not in record.seconds  # both are of one folder
    assert record.peak_megabytes > 20


def test_localize_writes_the_page_of_its_run(runs: tuple[Path, Path]) -> None:
    text = (runs[0].parent / "page.html").read_text(encoding="utf-8")
    assert "Where queries were lost" in text and "In space" in text and "How accurate" not in text
    assert len(text) < 5e6 and not re.search(r'(?:src|href)="(?!data:|#)', text)


def test_several_runs_are_compared(runs: tuple[Path, Path], job, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["report", *map(str, runs), "-o", str(page), "--truth", str(job.truth), "--title", "A & B"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "A &amp; B" in text and f"less {runs[0]}" in text and "by chance" in text
    assert "retrieve.num_retrieved 2" in text
    assert re.search(r"stage extract</td><td class=text>[0-9.]+ s, [0-9]+ MB at most until then", text)
    assert main(["report", str(runs[0]), "-o", str(page)]) == 0  # a page may be replaced


def test_what_cannot_be_shown_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "poses.txt"
    other.write_text(runs[0].read_text())
    assert main(["report", str(other), "-o", str(tmp_path / "page.html")]) == 2
    assert "poses.txt.json: expected what vloc localize writes of a run" in capsys.readouterr().err
    (tmp_path / "mine.html").write_text("<html>mine</html>")
    assert main(["report", str(runs[0]), "-o", str(tmp_path / "mine.html")]) == 2
    assert "mine.html: is there" in capsys.readouterr().err
    assert main(["report", "-o", str(tmp_path / "page.html")]) == 2
