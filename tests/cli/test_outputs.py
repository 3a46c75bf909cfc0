"""Files that no run of vloc made are not replaced by one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.cli.outputs import is_results

POSES = "a.jpg 1 0 0 0 0 0 0\nb.jpg 1 0 0 0 0 0 0\n"


def row(name: str, status: str = "localized") -> dict:
    return {"name": name, "status": status, "source": "pnp", "retrieved": []}


def localize(job, results: Path, *flags: str) -> int:
    return main(["localize", str(job.map), str(job.queries), str(results), "--quiet", *flags])


@pytest.fixture
def copied(job, tmp_path: Path) -> Path:
    """RESULTS and RESULTS.json of a finished job."""
    for name in ("poses.txt", "poses.txt.json"):
        shutil.copy(job.root / name, tmp_path / name)
    return tmp_path / "poses.txt"


def test_a_hand_written_file_is_kept_unless_told(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("buy milk\n")
    assert localize(job, notes) == 2
    assert f"{notes}: is there, and this command did not write it" in capsys.readouterr().err
    assert notes.read_text() == "buy milk\n"
    assert list(tmp_path.iterdir()) == [notes]
    assert localize(job, notes, "--overwrite", "--dry-run") == 0
    assert notes.read_text() == "buy milk\n"
    assert localize(job, notes, "--overwrite") in (0, 3)
    assert is_results(notes)


def test_results_of_an_earlier_run_are_replaced(job, copied: Path) -> None:
    before = copied.read_bytes()
    assert localize(job, copied) in (0, 3)
    assert copied.read_bytes() == before
    copied.unlink()  # a run that was killed between its two files
    assert localize(job, copied) in (0, 3)
    assert copied.read_bytes() == before


@pytest.mark.parametrize("change", [lambda text: f"# mine\n{text}", lambda text: text.partition("\n")[2]])
def test_results_that_were_changed_by_hand_are_kept(job, copied: Path, change) -> None:
    copied.write_text(change(copied.read_text()))
    before = copied.read_text()
    assert localize(job, copied) == 2
    assert copied.read_text() == before


def test_a_json_file_of_something_else_is_kept(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "poses.txt.json").write_text('{"mine": 1}')
    assert localize(job, tmp_path / "poses.txt") == 2
    assert "poses.txt.json" in capsys.readouterr().err


def test_a_truth_is_never_replaced(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = shutil.copy(job.truth, tmp_path / "truth.txt")
    assert localize(job, truth, "--overwrite") == 2
    assert "which vloc never replaces" in capsys.readouterr().err
    assert truth.read_bytes() == job.truth.read_bytes()


@pytest.mark.parametrize("name", ["trajectories.txt", "sensors.txt"])
def test_a_file_of_a_capture_is_never_replaced(gallery, job, tmp_path: Path, name: str) -> None:
    capture = shutil.copytree(gallery.mapping, tmp_path / "mapping")
    file = capture / "sensors" / name
    before = file.read_bytes()
    assert localize(job, file, "--overwrite") == 2
    image = next(capture.rglob("*.jpg"))
    assert localize(job, image, "--overwrite") == 2
    assert main(["evaluate", str(job.results), str(job.truth), "--json", str(file), "--overwrite"]) == 2
    assert file.read_bytes() == before


def test_figures_replace_figures_and_nothing_else(job, tmp_path: Path) -> None:
    evaluate = ["evaluate", str(job.results), str(job.truth), "--json"]
    figures, notes = tmp_path / "figures.json", tmp_path / "notes.json"
    assert main([*evaluate, str(figures)]) == main([*evaluate, str(figures)]) == 0
    notes.write_text("[1, 2]")
    assert main([*evaluate, str(notes)]) == 2
    assert notes.read_text() == "[1, 2]"
    assert main([*evaluate, str(notes), "--overwrite"]) == 0
    assert "num_queries" in json.loads(notes.read_text())


def test_results_are_those_whose_rows_list_every_line_and_no_other(tmp_path: Path) -> None:
    results = tmp_path / "poses.txt"
    results.write_text(POSES)
    for rows, ours in (
        ([row("a.jpg"), row("b.jpg"), row("c.jpg", "failed")], True),
        ([row("a.jpg")], False),
        ([row("a.jpg"), row("b.jpg"), row("c.jpg")], False),
        ([{"name": "a.jpg"}, {"name": "b.jpg"}], False),
        ({}, False),
    ):
        (tmp_path / "poses.txt.json").write_text(json.dumps(rows))
        assert is_results(results) == ours, rows


def test_the_demo_keeps_a_page_that_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>mine</h1>")
    assert main(["demo", str(tmp_path), "--quiet"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_map_folder_with_files_of_others_is_refused(gallery, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"levels": 3}')
    assert main(["map", str(gallery.mapping), str(tmp_path), "--quiet"]) == 2
    assert (tmp_path / "map.json").read_text() == '{"levels": 3}'
