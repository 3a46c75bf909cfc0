"""SILDa's recipe on a tiny tree in its raw formats, from the folder to the file to submit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import vloc
from tests import raw_silda
from tests.jobs import run
from tests.raw_drives import assert_same_poses, poses_of
from tests.raw_silda import CAMERAS, MOUNTS, Silda
from vloc.data.rigs import rig_chains
from vloc.formats.results import read_poses


@pytest.fixture(scope="module")
def silda(tmp_path_factory: pytest.TempPathFactory) -> Silda:
    """Written once; nobody changes it."""
    return raw_silda.write(tmp_path_factory.mktemp("silda"))


def convert(source: Path, root: Path, lens: str = "FOV") -> int:
    """The exit status of the converter."""
    return run("run", "silda_weather", root, "--source", source, "--lens", lens, "--transfer", "link")


def test_poses_of_cameras_in_the_world_are_turned_round(silda: Silda, tmp_path: Path) -> None:
    assert convert(silda.root, tmp_path / "made") == 0
    assert_same_poses(poses_of(tmp_path / "made" / "mapping"), silda.mapping, 1e-6)
    assert poses_of(tmp_path / "made" / "query") == dict.fromkeys(silda.queries)


def test_both_images_of_a_photo_are_a_rig_that_the_map_tells(silda: Silda, tmp_path: Path) -> None:
    assert convert(silda.root, tmp_path / "made") == 0
    query = vloc.read(f"kapture:{tmp_path / 'made' / 'query'}")
    assert sorted({*query.images.timestamps.tolist()}) == [4000, 4001, 4002]
    mounts = {camera: above[-1][1] for camera, above in rig_chains(query.rigs).items()}
    assert_same_poses(mounts, {name: mount @ MOUNTS["0"].inverse() for name, mount in MOUNTS.items()}, 1e-6)


@pytest.mark.parametrize("lens", ["FOV", "OPENCV_FISHEYE"])
def test_a_lens_is_scaled_to_the_images(lens: str, silda: Silda, tmp_path: Path) -> None:
    assert convert(silda.root, tmp_path / "made", lens) == 0
    query = vloc.read(f"kapture:{tmp_path / 'made' / 'query'}")
    for name in query.images.names:
        camera, expected = query.camera(name), CAMERAS[name[-5]]
        assert camera.model == lens and camera.size == expected.size
        np.testing.assert_allclose(camera.principal_point, expected.principal_point)
        np.testing.assert_allclose(camera.focal[0], {"FOV": 217.294036, "OPENCV_FISHEYE": 393.299}[lens] / 4)


def test_the_recipe_ends_with_the_file_to_submit(
    silda: Silda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run", "silda", "--data", silda.root, "--out", tmp_path / "out", "--fast", "--quiet") == 0
    told = capsys.readouterr().out
    assert "snow: 0.2 / 4.1 / 88.9" in told and "6 images of 'query', expected 6064" in told
    assert_same_poses(read_poses(tmp_path / "out" / "silda_eval_vloc_fast.txt"), silda.queries, 0.05)


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("query_imgs.txt", "1_0.jpg\n", "query_imgs.txt:1: no image of SILDa"),
        ("silda-train-poses.txt", "\n1_0.png 1 0 0 0 0 0\n", "silda-train-poses.txt:2: 6 numbers; expected 7"),
        ("camera-intrinsics/0_0.intrinsics", "512 512\n", "0_0.intrinsics: begins with [512.0, 512.0]"),
    ],
)
def test_a_broken_file_is_named(
    path: str, text: str, told: str, silda: Silda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(silda.root, tmp_path / "raw")
    (tmp_path / "raw" / path).write_text(text)
    assert convert(tmp_path / "raw", tmp_path / "made") == 2
    assert told in capsys.readouterr().err


def test_what_is_missing_of_the_download_is_named(
    silda: Silda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(silda.root, tmp_path / "raw", ignore=shutil.ignore_patterns("*.intrinsics"))
    assert run("run", "silda", "--data", tmp_path / "raw", "--out", tmp_path / "out") == 2
    assert "misses camera-intrinsics/*.intrinsics (principal points)" in capsys.readouterr().err
