"""Gangnam Station and LaMAR on tiny trees in their own formats: floors, devices, and files to submit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import raw_trees_indoor as raw
from tests.jobs import run
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors


def test_floors_go_into_one_file_and_validation_is_evaluated(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.naver(tmp_path / "raw", rooms, ["B1", "B2"])
    out = tmp_path / "out"
    command = ["run", "gangnam_station", "--data", tmp_path / "raw", "--out", out, "--fast", "--quiet"]
    assert run(*command, "--only", "B2") == 0
    told = capsys.readouterr().out
    assert "its truth is not public" in told and "B2_validation: 1 of 1 localized, 100.0 / 100.0 / 100.0 %" in told
    submitted = read_poses(out / "gangnam_station_eval_vloc_fast.txt")
    assert list(submitted) == ["images/test_10000.jpg"]
    assert pose_errors(submitted["images/test_10000.jpg"], rooms.query[0].cam_from_world)[0] < 0.01
    assert json.loads((out / "figures.json").read_text())["median_translation_m"] < 0.01
    assert (out / "B2" / "page_validation.html").exists()


def test_a_floor_that_was_not_downloaded_is_named(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.naver(tmp_path / "raw", rooms, ["B1", "4F"])
    assert run("run", "hyundai_department_store", "--data", tmp_path / "raw", "--out", tmp_path / "out") == 2
    assert "misses 1F/release/mapping/sensors/sensors.txt (images to map of floor 1F)" in capsys.readouterr().err
