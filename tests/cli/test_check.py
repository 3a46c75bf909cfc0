"""`vloc check` finds what was broken on purpose, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vloc.cli.main import main


@pytest.fixture
def copy_of_map(job, tmp_path: Path) -> Path:
    return shutil.copytree(job.map, tmp_path / "map")


@pytest.fixture
def copy_of_capture(gallery, tmp_path: Path) -> Path:
    return shutil.copytree(gallery.mapping, tmp_path / "mapping")


def problems(path: Path, capsys: pytest.CaptureFixture[str], status: int = 3) -> list[str]:
    capsys.readouterr()
    assert main(["check", str(path), "--json"]) == status
    found: list[str] = json.loads(capsys.readouterr().out)["problems"]
    return found


def test_a_whole_map_and_a_whole_capture_have_no_problems(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert problems(job.map, capsys, 0) == []
    assert problems(job.mapping, capsys, 0) == []


def test_one_changed_byte_in_any_shard_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(copy_of_map.rglob("*.h5")):
        data = path.read_bytes()
        place = len(data) // 2
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = problems(copy_of_map, capsys)
        assert any(str(path) in problem for problem in found)
        path.write_bytes(data)


def test_a_missing_shard_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(copy_of_map.glob("extract-*/*.h5"))
    path.unlink()
    assert any(path.name in problem for problem in problems(copy_of_map, capsys))


def test_a_map_that_was_begun_and_not_finished_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy_of_map / "map.json").unlink()
    assert problems(copy_of_map, capsys) == [
        f"{copy_of_map / 'map.json'}: missing: the map was begun and not finished; run the same command again"
    ]


def test_a_manifest_that_is_no_json_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy_of_map / "map.json").write_text("{")
    assert any("map.json" in problem for problem in problems(copy_of_map, capsys))


def test_every_broken_image_is_listed(copy_of_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = sorted((copy_of_capture / "sensors" / "records_data").rglob("*.jpg"))
    images[0].write_bytes(images[0].read_bytes()[:-3000])
    images[5].write_bytes(b"not an image")
    images[7].unlink()
    found = problems(copy_of_capture, capsys)
    assert len(found) == 3
    assert all(any(images[i].name in problem for problem in found) for i in (0, 5, 7))


def test_a_pose_of_no_device_is_found(copy_of_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copy_of_capture / "sensors" / "trajectories.txt").open("a") as file:
        file.write("1, ghost, 1, 0, 0, 0, 0, 0, 0\n")
    found = problems(copy_of_capture, capsys)
    assert len(found) == 1
    assert "ghost" in found[0]


def test_a_row_that_is_refused_is_named_by_file_and_line(
    copy_of_capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (copy_of_capture / "sensors" / "trajectories.txt").open("a") as file:
        file.write("1, rig, 1, 0, 0\n")
    found = problems(copy_of_capture, capsys)
    assert len(found) == 1
    assert "trajectories.txt:" in found[0]


def test_what_is_neither_map_nor_capture_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["check", str(tmp_path)]) == 2
    assert main(["check", str(tmp_path / "missing")]) == 2
