"""Gangnam Station and LaMAR on tiny trees in their own formats: floors, devices, and files to submit."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets.lamar import LamarConfig, asked, make

from tests import raw_trees_indoor as raw
from tests.jobs import run
from vloc.errors import DataError
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


@pytest.mark.slow
def test_lamar_wants_a_file_for_each_device_with_poses_of_rigs(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.lamar(tmp_path / "raw", dataclasses.replace(rooms, mapping=rooms.mapping[:6]), "CAB")
    out = tmp_path / "out"
    assert run("run", "lamar_benchmark", "--data", tmp_path / "raw", "--out", out, "--fast", "--quiet") == 0
    told = capsys.readouterr().out
    assert "--rig joint" in told and "CAB_val_phone: 1 of 1 localized, 100.0 / 100.0 %" in told
    assert sorted(path.name for path in out.glob("*.txt")) == [
        *("CAB_query_hololens.txt", "CAB_query_phone.txt", "all_poses.txt", "all_truth.txt"),
    ]
    truth = rooms.query[0].cam_from_world.inverse()
    for device, rig in {"phone": "ios_1/cam0", "hololens": "hl_1"}.items():
        header, row = (out / f"CAB_query_{device}.txt").read_text().splitlines()
        assert header == "# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz"
        assert row.startswith(f"1000000, {rig}, ")
        placed = np.array(row.split(", ")[-3:], float)
        assert np.linalg.norm(placed - truth.translation) < 0.01


def test_what_is_asked_for_and_not_there_is_named_by_line(rooms: raw.Rooms, tmp_path: Path) -> None:
    raw.lamar(tmp_path / "raw", rooms, "CAB")
    folder = tmp_path / "raw" / "CAB" / "sessions" / "query_phone"
    for row, message in {"1000000, ios_2": "'ios_2' took no image at 1000000", "x, ios_1/cam0": "time: "}.items():
        (folder / "queries.txt").write_text(f"1000000, ios_1/cam0\n{row}\n")
        with pytest.raises(DataError, match=rf"query_phone/queries\.txt:2: {message}"):
            asked(tmp_path / "raw", folder)
    (folder / "queries.txt").write_text("")
    (tmp_path / "raw" / "CAB" / "sessions" / "query_hololens" / "queries.txt").unlink()
    with pytest.raises(DataError, match=r"query_hololens/queries\.txt \(which instants of HoloLenses are asked for\)"):
        make(tmp_path / "made", LamarConfig(tmp_path / "raw"))
