"""`vloc demo`: from nothing to a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import vloc
from vloc import page
from vloc.cli.estimates import read_estimates
from vloc.cli.main import main
from vloc.data.estimate import PoseEstimate
from vloc.formats.results import read_truth
from vloc.map import Map

SMALL = ["--num-images=6", "--num-queries=2", "--quiet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "in here"
    assert main(["demo", str(folder), *SMALL]) in (0, 3)
    return folder


def test_a_query_that_failed_comes_first_with_its_reason(job, tmp_path: Path) -> None:
    estimates = read_estimates(job.results)
    lost = PoseEstimate(estimates[-1].name, None, "none", 5, 9, reason="5 inliers of 9 matches, fewer than 12")
    photos = vloc.read(str(job.mapping)).files
    run = page.Run("run", Map.open(job.map), vloc.read(str(job.queries)), [*estimates[:-1], lost], photos)
    page.write(tmp_path / page.PAGE, [run], read_truth(job.truth))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    first = text.index(f"1. {lost.name}")
    assert text.index("not localized: 5 inliers of 9") > first
    assert all(text.index(f". {estimate.name}") > first for estimate in estimates[:-1])


class Sources(HTMLParser):
    """Collects everything a page loads or links to, and its images."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]


def test_the_page_needs_nothing_but_itself(folder: Path) -> None:
    parser = Sources()
    parser.feed((folder / "index.html").read_text(encoding="utf-8"))
    assert len(parser.found) > 3
    assert all(source.startswith(("data:", "#")) for source in parser.found)


def test_the_page_is_small(folder: Path) -> None:
    assert (folder / "index.html").stat().st_size < 5e6


def test_the_page_shows_every_query_and_the_commands(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    names = [line.split()[0] for line in (folder / "gallery" / "query_truth.txt").read_text().splitlines()]
    assert all(name in text for name in names)
    assert all(f"vloc {command}" in text for command in ("map", "localize", "evaluate"))
    estimates = read_estimates(folder / "poses.txt")
    assert all(f"{estimate.retrieved[0]}, similarity {estimate.similarities[0]:.2f}" in text for estimate in estimates)


def test_a_rerun_goes_on_where_the_last_ended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards = {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")}
    assert main(["demo", str(folder), *[flag for flag in SMALL if flag != "--quiet"]]) in (0, 3)
    told = capsys.readouterr()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")} == shards
    assert "up to date" in told.err
    assert re.search(r"page: .*index\.html", told.out)
    assert "of 2 localized" in told.out


def test_a_folder_that_is_a_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["demo", str(tmp_path / "file")]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err
