"""Extended CMU-Seasons' recipe on a tiny tree in its raw formats, from the folder to the file to submit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import vloc
from tests import raw_cmu
from tests.jobs import run
from tests.raw_cmu import CAMERAS, MOUNTS, Cmu
from tests.raw_drives import assert_same_poses, poses_of
from vloc.data.instants import instants_of
from vloc.data.rigs import rig_chains
from vloc.formats.results import read_poses


@pytest.fixture(scope="module")
def cmu(tmp_path_factory: pytest.TempPathFactory) -> Cmu:
    """Written once; nobody changes it."""
    return raw_cmu.write(tmp_path_factory.mktemp("cmu"))


@pytest.fixture(scope="module")
def made(cmu: Cmu, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the converter makes of it."""
    folder = tmp_path_factory.mktemp("made") / "cmu"
    assert run("run", "cmu_seasons", folder, "--source", cmu.root, "--transfer", "link") == 0
    return folder


def test_centres_of_cameras_become_translations(cmu: Cmu, made: Path) -> None:
    for place, truth in cmu.mapping.items():
        assert_same_poses(poses_of(made / place / "mapping"), truth, 1e-6)
        assert poses_of(made / place / "query") == dict.fromkeys(cmu.queries[place])


def test_truth_is_there_where_it_is_public(cmu: Cmu, made: Path) -> None:
    assert_same_poses(read_poses(made / "slice2" / "query_truth.txt"), cmu.queries["slice2"], 1e-6)
    assert not (made / "slice21" / "query_truth.txt").exists()


def test_conditions_are_those_of_the_slices(cmu: Cmu, made: Path) -> None:
    expected = dict.fromkeys(cmu.queries["slice2"], "urban") | dict.fromkeys(cmu.queries["slice21"], "park")
    lines = [f"{name} {condition}" for name, condition in sorted(expected.items())]
    assert (made / "conditions.txt").read_text().splitlines() == lines


def test_both_cameras_are_one_instant_of_a_rig_that_slice_2_tells(made: Path) -> None:
    query = vloc.read(f"kapture:{made / 'slice21' / 'query'}")
    instants = instants_of(query, query.images.names)
    assert [len(instant.names) for instant in instants] == [2, 2, 2]
    mounts = {camera: above[-1][1] for camera, above in rig_chains(query.rigs).items()}
    expected = {camera: mount @ MOUNTS["c0"].inverse() for camera, mount in MOUNTS.items()}
    assert_same_poses(mounts, expected, 1e-6)
    for name in query.images.names:
        np.testing.assert_allclose(query.camera(name).params, CAMERAS[name.split("_")[2]].params)


def test_the_recipe_ends_with_the_file_to_submit(cmu: Cmu, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "cmu", "--data", cmu.root, "--out", tmp_path / "out", "--fast", "--quiet", "--only", "slice2"]
    assert run(*command) == 0
    told = capsys.readouterr().out
    assert "urban: 97.0 / 99.1 / 99.8" in told and (tmp_path / "out" / "figures.json").exists()
    assert_same_poses(read_poses(tmp_path / "out" / "cmu_eval_vloc_fast.txt"), cmu.queries["slice2"], 0.05)


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("intrinsics.txt", "c0 OPENCV 1 1 1\n", "intrinsics.txt:1: OPENCV with 3 numbers"),
        ("slice21/test-images-slice21.txt", "\nimg_1_c2_3us.jpg\n", "test-images-slice21.txt:2: no image of the car"),
        (
            "slice2/ground-truth-database-images-slice2.txt",
            "img_1_c0_3us.jpg 1 1 0 0 0 0 0\n",
            "ground-truth-database-images-slice2.txt:1: quaternion of norm 1.41",
        ),
    ],
)
def test_a_broken_line_is_named(
    path: str, text: str, told: str, cmu: Cmu, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(cmu.root, tmp_path / "raw")
    (tmp_path / "raw" / path).write_text(text)
    assert run("run", "cmu_seasons", tmp_path / "made", "--source", tmp_path / "raw") == 2
    assert told in capsys.readouterr().err


def test_what_is_missing_of_the_download_is_named(cmu: Cmu, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(cmu.root, tmp_path / "raw")
    (tmp_path / "raw" / "slice21" / "test-images-slice21.txt").unlink()
    assert run("run", "cmu", "--data", tmp_path / "raw", "--out", tmp_path / "out") == 2
    assert "test-images-slice21.txt: no such file of the benchmark" in capsys.readouterr().err
    (tmp_path / "raw" / "intrinsics.txt").unlink()
    assert run("run", "cmu", "--data", tmp_path / "raw", "--out", tmp_path / "out") == 2
    assert "misses intrinsics.txt (both cameras)" in capsys.readouterr().err
