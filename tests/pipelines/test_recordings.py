"""Virtual Gallery and 4Seasons on tiny trees in their raw formats, from the folder to figures and relative poses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets.four_seasons_places import PLACES

from tests import raw_trees_indoor as raw
from tests.jobs import run


@pytest.mark.slow
def test_virtual_gallery_is_told_by_light_and_occlusion(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = dataclasses.replace(rooms, mapping=rooms.mapping[:4], query=rooms.query[:1])
    raw.virtual_gallery(tmp_path / "raw", few)
    command = ["--data", tmp_path / "raw", "--out", tmp_path / "out", "--fast", "--quiet"]
    assert run("run", "virtual_gallery_benchmark", *command) == 0
    assert "light3_occlusion4: 1 of 1 localized, 100.0 / 100.0 / 100.0 %" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "figures.json").read_text())["median_translation_m"] < 0.01


@pytest.mark.slow
def test_four_seasons_wants_poses_relative_to_frames_of_the_map(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = dataclasses.replace(rooms, mapping=rooms.mapping[:6], query=rooms.query[:1])
    raw.four_seasons(tmp_path / "raw", few, PLACES["countryside"])
    out = tmp_path / "out"
    command = ["run", "four_seasons_benchmark", "--data", tmp_path / "raw", "--out", out, "--fast", "--quiet"]
    assert run(*command) == 0
    told = capsys.readouterr().out
    assert "to submit:" in told and "(1 of 1 pairs)" in told
    assert "countryside_test: 1 of 1 localized" in told and "countryside_validation: 1 of 1 localized" in told
    _, _, *fields = (out / "countryside_query_test.txt").read_text().split()
    truth = rooms.query[0].cam_from_world @ rooms.mapping[1].cam_from_world.inverse()
    assert np.linalg.norm(np.array(fields[:3], float) - truth.translation) < 0.01
    x, y, z, w = map(float, fields[3:])
    assert abs(np.dot([w, x, y, z], truth.quat_wxyz)) > 0.99999


def test_a_list_of_pairs_that_is_not_there_is_named(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.four_seasons(tmp_path, rooms, PLACES["countryside"])
    (path,) = tmp_path.glob("relocalizationFile_*")
    path.rename(tmp_path / "relocalizationFile_recording_a_to_recording_b.txt")
    assert run("run", "four_seasons_benchmark", "--data", tmp_path, "--out", tmp_path / "out") == 2
    assert f"{path.name}: no such list of pairs" in capsys.readouterr().err
