"""RobotCar Seasons' recipes on a tiny tree in its raw formats, from the folder to the file to submit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import vloc
from tests import raw_robotcar
from tests.jobs import run
from tests.raw_drives import assert_same_poses, poses_of
from tests.raw_robotcar import CAMERAS, MOUNTS, Robotcar
from vloc.data.rigs import rig_chains
from vloc.formats.results import read_poses

CONDITIONS = {"dawn": "day/dawn", "night-rain": "night/night-rain"}


@pytest.fixture(scope="module")
def robotcar(tmp_path_factory: pytest.TempPathFactory) -> Robotcar:
    """Written once; nobody changes it."""
    return raw_robotcar.write(tmp_path_factory.mktemp("robotcar"))


def convert(source: Path, root: Path, version: str) -> int:
    """The exit status of the converter."""
    return run("run", "robotcar", root, "--source", source, "--version", version, "--transfer", "link")


def recipe(version: str, robotcar: Robotcar, out: Path) -> list[object]:
    """The recipe's command."""
    return ["run", f"robotcar_{version}", "--data", robotcar.root, "--out", out, "--fast", "--quiet"]


def test_each_location_is_a_place_with_its_own_queries(robotcar: Robotcar, tmp_path: Path) -> None:
    assert convert(robotcar.root, tmp_path / "made", "1") == 0
    for place, truth in robotcar.mapping.items():
        assert_same_poses(poses_of(tmp_path / "made" / place / "mapping"), truth, 1e-6)
        assert poses_of(tmp_path / "made" / place / "query") == dict.fromkeys(robotcar.queries[place])
    lines = (tmp_path / "made" / "conditions.txt").read_text().splitlines()
    names = sorted(name for own in robotcar.queries.values() for name in own)
    assert lines == [f"{name} {CONDITIONS[name.partition('/')[0]]}" for name in names]


def test_names_tell_the_time_and_the_files_the_rig(robotcar: Robotcar, tmp_path: Path) -> None:
    assert convert(robotcar.root, tmp_path / "made", "1") == 0
    query = vloc.read(f"kapture:{tmp_path / 'made' / '001' / 'query'}")
    assert {str(time) for time in query.images.timestamps} == {Path(name).stem for name in query.images.names}
    mounts = {camera: above[-1][1] for camera, above in rig_chains(query.rigs).items()}
    assert_same_poses(mounts, MOUNTS, 1e-9)
    for name in query.images.names:
        assert query.camera(name).params == CAMERAS[name.split("/")[1]].params


def test_v2_maps_the_instants_whose_poses_are_public(robotcar: Robotcar, tmp_path: Path) -> None:
    assert convert(robotcar.root, tmp_path / "made", "2") == 0
    for place, truth in robotcar.mapping.items():
        queries = list(robotcar.queries[place].items())  # three of each instant
        assert_same_poses(poses_of(tmp_path / "made" / place / "mapping"), truth | dict(queries[:3]), 1e-6)
        assert poses_of(tmp_path / "made" / place / "query").keys() == dict(queries[3:]).keys()


def test_v2_leaves_out_locations_of_which_it_tests_nothing(robotcar: Robotcar, tmp_path: Path) -> None:
    shutil.copytree(robotcar.root, tmp_path / "raw")
    tested = [name for name in robotcar.queries["001"] if "night-rain/rear" in name]
    (tmp_path / "raw" / "robotcar_v2_test.txt").write_text("".join(f"{name}\n" for name in tested))
    assert convert(tmp_path / "raw", tmp_path / "made", "2") == 0
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["001", "conditions.txt"]


def test_poses_that_v2_publishes_are_truth_of_v1(robotcar: Robotcar, tmp_path: Path) -> None:
    assert convert(robotcar.root, tmp_path / "made", "1") == 0
    (rear,) = [name for name in list(robotcar.queries["001"])[:3] if "/rear/" in name]
    truth = read_poses(tmp_path / "made" / "001" / "query_truth.txt")
    assert_same_poses(truth, {rear: robotcar.queries["001"][rear]}, 1e-6)


@pytest.mark.slow
def test_the_recipe_ends_with_the_file_to_submit(
    robotcar: Robotcar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*recipe("v1", robotcar, tmp_path), "--only", "001") == 0
    told = capsys.readouterr().out
    assert "night: 28.8 / 58.8 / 89.4" in told and "24 images of 'mapping', expected 20862" in told
    assert_same_poses(read_poses(tmp_path / "robotcar_v1_eval_vloc_fast.txt"), submitted(robotcar, "001"), 0.05)


def submitted(robotcar: Robotcar, place: str, first: int = 0) -> dict[str, vloc.Rigid]:
    """The true poses of the queries of a location, the first ones left out, by the names of the submission."""
    return {name.split("/", 1)[1]: pose for name, pose in list(robotcar.queries[place].items())[first:]}


def test_a_location_that_fails_does_not_stop_the_others(
    robotcar: Robotcar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(robotcar.root, tmp_path / "captures", "2") == 0
    records = tmp_path / "captures" / "001" / "mapping" / "sensors" / "records_camera.txt"
    records.write_text("never, rear, a.jpg\n")
    assert run(*recipe("v2", robotcar, tmp_path), "--only", "001") == 2
    assert capsys.readouterr().err.startswith(f"vloc: {records}")
    assert run(*recipe("v2", robotcar, tmp_path)) == 2
    assert f"1 of 2 places failed, the others are done; 001: {records}" in capsys.readouterr().err
    found = read_poses(tmp_path / "robotcar_v2_eval_vloc_fast.txt")
    assert_same_poses(found, submitted(robotcar, "002", 3), 0.05)


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("extrinsics/left_extrinsics.txt", "1,0,0\n", "left_extrinsics.txt:1: 3 numbers; expected 4"),
        ("robotcar_v2_train.txt", "dawn/rear/1.jpg 1 2\n", "robotcar_v2_train.txt:1: 2 numbers; expected 16"),
        (
            "3D-models/individual/queries_per_location/queries_location_2.txt",
            "\ndawn/front/1.jpg\n",
            "queries_location_2.txt:2: no image of the car",
        ),
    ],
)
def test_a_broken_line_is_named(
    path: str, text: str, told: str, robotcar: Robotcar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(robotcar.root, tmp_path / "raw")
    (tmp_path / "raw" / path).write_text(text)
    assert convert(tmp_path / "raw", tmp_path / "made", "2") == 2
    assert told in capsys.readouterr().err


def test_what_is_missing_of_the_download_is_named(
    robotcar: Robotcar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(robotcar.root, tmp_path / "raw")
    (tmp_path / "raw" / "extrinsics" / "rear_extrinsics.txt").unlink()
    assert run("run", "robotcar_v2", "--data", tmp_path / "raw", "--out", tmp_path / "out") == 2
    assert "misses extrinsics/rear_extrinsics.txt (where the rear camera is mounted)" in capsys.readouterr().err


def test_a_location_without_queries_is_named(
    robotcar: Robotcar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(robotcar.root, tmp_path / "raw")
    (tmp_path / "raw" / "3D-models/individual/queries_per_location/queries_location_2.txt").unlink()
    assert convert(tmp_path / "raw", tmp_path / "made", "1") == 2
    assert "location 2 has a model or a list" in capsys.readouterr().err
