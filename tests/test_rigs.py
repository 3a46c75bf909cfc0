"""Images taken together by a rig, on a drive with exact truth: placed as one, or after each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from vloc.datasets import synthetic_drive

import vloc
from vloc.data.estimate import PoseEstimate
from vloc.data.instants import Instant
from vloc.data.selection import Correspondences
from vloc.data.view import ViewSimilarity
from vloc.errors import DataError
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.rigs import transferred
from vloc.stages.rigs import RigConfig

from .drives import DRIVE, GALLERY
from .jobs import run


@pytest.fixture(scope="module")
def alone(built: Path, drive: Path) -> dict[str, PoseEstimate]:
    return {e.name: e for e in vloc.localize(vloc.Map.open(built), drive / "drive", drive / "alone")}


def errors(found: dict[str, PoseEstimate], drive: Path) -> dict[str, float]:
    """Metres, of the images that have a pose."""
    truth = read_poses(drive / "drive_truth.txt")
    return {name: pose_errors(e.cam_from_world, truth[name])[0] for name, e in found.items() if e.is_localized}


def test_all_images_of_an_instant_are_placed_where_one_camera_sees(
    built: Path, drive: Path, alone: dict[str, PoseEstimate]
) -> None:
    blind = synthetic_drive.blinded(GALLERY, DRIVE)
    assert 0 < len(blind) == 6 and not any(alone[name].is_localized for name in blind)
    found = {
        e.name: e for e in vloc.localize(vloc.Map.open(built), drive / "drive", drive / "joint", rig={"use": "joint"})
    }
    seen = {name.split("/")[1] for name, estimate in alone.items() if estimate.is_localized}
    assert {name for name, e in found.items() if e.is_localized} == {n for n in found if n.split("/")[1] in seen}
    assert {e.source for e in found.values() if e.is_localized} == {"rig"} and len(seen) == 4
    before, after = errors(alone, drive), errors(found, drive)
    assert max(after.values()) < 0.002
    assert np.median([after[name] for name in before]) < np.median(list(before.values()))


def test_a_camera_that_is_shown_no_map_image_follows_the_others(built: Path, drive: Path) -> None:
    localizer = vloc.Localizer(built)
    queries = vloc.read(drive / "drive")
    names = [name for name in queries.images.names if name.endswith("000001.jpg")]
    mounts = {member.sensor_id: member.sensor_from_rig for member in queries.rigs}
    files = [drive / "drive" / "sensors" / "records_data" / name for name in names]
    place = localizer.placer
    looked = [place.look(file, queries.camera(name), name) for file, name in zip(files, names, strict=True)]
    made = [place.searched(query) for query in looked]
    made[0] = replace(made[0], rows=(), matches=Correspondences.none())
    alone = {query.name: place.place(query) for query in made[1:]}
    alone[names[0]] = PoseEstimate(names[0], None, "none")
    found = place.place_together(made, [mounts[queries.device(name)] for name in names], alone)
    truth = read_poses(drive / "drive_truth.txt")
    assert all(pose_errors(found[name].cam_from_world, truth[name])[0] < 0.002 for name in names)


def test_images_follow_those_of_their_instant_that_have_a_pose_and_these_stay(
    drive: Path, built: Path, alone: dict[str, PoseEstimate]
) -> None:
    assert run("localize", built, drive / "drive", drive / "poses.txt", "--rig", "transfer", "--quiet") == 0
    found, truth = read_poses(drive / "poses.txt"), read_poses(drive / "drive_truth.txt")
    assert len(found) == 12 and max(pose_errors(found[name], truth[name])[0] for name in found) < 0.01
    for name, estimate in alone.items():
        if estimate.is_localized:
            assert max(pose_errors(found[name], estimate.cam_from_world)) < 1e-9


def test_queries_without_a_rig_are_refused(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", "--rig", "joint", "--quiet") == 2
    assert "no two of 4 queries were taken at one time by cameras that rigs.txt places on one rig" in (
        capsys.readouterr().err
    )
    assert not any((tmp_path / "vloc.work").glob("extract-*"))  # said before any work


def test_a_rig_in_memory_is_placed_as_in_a_capture(built: Path, drive: Path) -> None:
    queries = vloc.read(drive / "drive")
    names = [name for name in queries.images.names if name.endswith("000001.jpg")]
    mounts = {member.sensor_id: member.sensor_from_rig for member in queries.rigs}
    files = [drive / "drive" / "sensors" / "records_data" / name for name in names]
    cameras, places = [queries.camera(name) for name in names], [mounts[queries.device(name)] for name in names]
    found = vloc.Localizer(built).localize_rig(files, cameras, places)
    stored = {e.name: e for e in vloc.localize(vloc.Map.open(built), queries, drive / "joint", rig={"use": "joint"})}
    for name, estimate in zip(names, found, strict=True):
        assert max(pose_errors(estimate.cam_from_world, stored[name].cam_from_world)) < 1e-9
        assert (estimate.source, estimate.num_inliers) == ("rig", stored[name].num_inliers)


def test_a_rig_of_other_length_than_its_images_is_refused(built: Path, drive: Path) -> None:
    with pytest.raises(DataError, match="1 images, 2 cameras, 1 mounts: expected as many of each, and two at least"):
        vloc.Localizer(built).localize_rig([np.zeros((9, 9), np.uint8)], [None, None], [Rigid.identity()])


def shifted(x: float, confidence: float = 0.9) -> PoseEstimate:
    pose = Rigid(np.eye(3), np.array([x, 0.0, 0.0]))
    return PoseEstimate("", pose, "pnp", covariance=1e-6 * np.eye(6), confidence=confidence)


def estimates(**placed: PoseEstimate) -> dict[str, PoseEstimate]:
    none = {name: PoseEstimate(name, None, "none", reason="nothing seen") for name in "abc"}
    return {**none, **{name: replace(estimate, name=name) for name, estimate in placed.items()}}


TURN = Rigid(Rotation.from_rotvec([0, np.pi / 2, 0]).as_matrix(), np.array([0.0, 0.0, 1.0]))
INSTANT = Instant("rig", 0, ("a", "b", "c"), (Rigid.identity(), Rigid.identity(), TURN))


def test_an_image_that_follows_is_where_its_camera_is_mounted() -> None:
    found = transferred(INSTANT, estimates(a=shifted(2.0)), RigConfig("transfer"))
    expected = TURN @ Rigid(np.eye(3), np.array([2.0, 0, 0]))
    assert max(pose_errors(found["c"].cam_from_world, expected)) < 1e-12
    assert (found["a"].source, found["c"].source, found["c"].confidence, found["c"].reason) == ("pnp", "rig", 0.9, "")


def test_a_pose_by_a_rig_does_not_keep_what_its_own_would_see() -> None:
    alone = {name: replace(each, view=ViewSimilarity(0.9, 0.5)) for name, each in estimates(a=shifted(2.0)).items()}
    found = transferred(INSTANT, alone, RigConfig("transfer"))
    assert found["a"].view == ViewSimilarity(0.9, 0.5) and found["c"].view is None


def test_a_pose_that_two_others_contradict_gives_way() -> None:
    on_c = replace(shifted(0.0), cam_from_world=TURN @ shifted(0.0).cam_from_world)
    found = transferred(INSTANT, estimates(a=shifted(5.0, 0.99), b=shifted(0.0), c=on_c), RigConfig("transfer"))
    assert [found[name].source for name in "abc"] == ["rig", "pnp", "pnp"]
    assert np.abs(found["a"].cam_from_world.translation).max() < 1e-9


def test_of_two_that_contradict_each_other_both_stay_and_the_third_follows_the_surer() -> None:
    found = transferred(INSTANT, estimates(a=shifted(5.0, 0.8), b=shifted(0.0, 0.9)), RigConfig("transfer"))
    assert [found[name].source for name in "abc"] == ["pnp", "pnp", "rig"]
    assert max(pose_errors(found["c"].cam_from_world, TURN)) < 1e-12


def test_an_instant_without_any_pose_stays_so() -> None:
    found = transferred(INSTANT, estimates(), RigConfig("transfer"))
    assert {e.source for e in found.values()} == {"none"} and found["a"].reason == "nothing seen"
