"""Aachen Day-Night's recipe on a tiny tree in its raw formats, from the folder to the file to submit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vloc
from tests import raw_trees
from tests.jobs import run
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_converter_keeps_names_cameras_poses_and_conditions(version: str, small: Path, tmp_path: Path) -> None:
    raw_trees.aachen(tmp_path / "raw", small, version)
    assert run("run", "aachen", tmp_path / "made", "--source", tmp_path / "raw", "--version", version) == 0
    made = vloc.read(f"kapture:{tmp_path / 'made' / 'mapping'}")
    expected = raw_trees.under(small / "mapping", "db")
    assert sorted(made.images.names) == sorted(expected.images.names)
    for name in expected.images.names:
        metres, radians = pose_errors(made.pose(name), expected.pose(name))
        assert metres < 1e-6 and radians < 1e-6
        np.testing.assert_allclose(made.camera(name).params, expected.camera(name).params, rtol=1e-9)
    queries = vloc.read(f"kapture:{tmp_path / 'made' / 'query'}")
    assert not queries.has_pose.any() and not (tmp_path / "made" / "query_truth.txt").exists()
    conditions = (tmp_path / "made" / "conditions.txt").read_text().splitlines()
    assert conditions == [f"{name} {name.split('/')[1]}" for name in sorted(queries.images.names)]


def test_the_recipe_ends_with_the_file_to_submit(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw_trees.aachen(tmp_path / "raw", small, "1.1")
    command = ["run", "aachen_v1_1", "--data", tmp_path / "raw", "--out", tmp_path / "out", "--fast", "--quiet"]
    assert run(*command, "--dry-run") == 0
    assert not (tmp_path / "out").exists()
    told = capsys.readouterr().out
    assert "6,697 photos, up to 133,940 pairs of them to match" in told and "files, 0.0 GB" in told
    assert "1,015 queries, up to 50,750 map images" in told and "--preset config2 --num-retrieved 50" in told
    (tmp_path / "out" / ".captures.tmp" / "mapping").mkdir(parents=True)  # as a conversion that was stopped leaves it
    assert run(*command) == 0
    told = capsys.readouterr().out
    assert "night: 78.5 / 91.1 / 98.0" in told and "12 images of 'mapping', expected 6697" in told
    assert "its truth is not public" in told and (tmp_path / "out" / "page.html").exists()
    submitted = read_poses(tmp_path / "out" / "aachen_v1_1_eval_vloc_fast.txt")
    truth = {name.rpartition("/")[2]: pose for name, pose in raw_trees.truth_of(small, "query").items()}
    assert submitted.keys() == truth.keys()
    assert max(pose_errors(pose, truth[name])[0] for name, pose in submitted.items()) < 0.01
    assert run(*command) == 0  # which redoes nothing
    assert "converting" not in capsys.readouterr().out
    assert run(*command, "--variant", "apgem_top20", "--dry-run") == 0
    told = capsys.readouterr().out
    assert "night: 71.2 / 86.9 / 97.9" in told and f"{tmp_path / 'out' / 'apgem_top20' / 'map'}" in told
    assert run(*command, "--variant", "top21") == 2
    assert "--variant top21: choose from top20, apgem_top20" in capsys.readouterr().err


def test_what_is_missing_of_the_download_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "aachen_v1_1", "--data", tmp_path / "raw", "--out", tmp_path / "out"]
    assert run(*command) == 2
    assert "folder of Aachen Day-Night v1.1; get it from https://www.visuallocalization.net" in capsys.readouterr().err
    (tmp_path / "raw" / "queries").mkdir(parents=True)
    assert run(*command) == 2
    told = capsys.readouterr().err
    assert "misses 3D-models/aachen_v_1_1/images.* (the reference model); images_upright/sequences" in told
