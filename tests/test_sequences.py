"""Images taken one after the other, on a drive with exact truth and on poses worked by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.config import LocalizationConfig
from vloc.data.capture import Capture, Sensor
from vloc.data.estimate import PoseEstimate
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import ConfigError, DataError
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.sequences import by_sequences as with_odometry
from vloc.sequences import check_sequences
from vloc.stages.sequences import SequenceConfig

from .jobs import run

SECOND = 1_000_000_000


def walk(count: int, rigs: tuple[RigMember, ...] = ()) -> Capture:
    """A photo a second by a camera, or by each of a rig."""
    cameras = [member.sensor_id for member in rigs] or ["cam"]
    rows = [(i * SECOND, camera, f"{camera}{i}") for i in range(count) for camera in cameras]
    return Capture({camera: Sensor("camera") for camera in cameras}, Records.from_rows(rows), rigs=rigs)


def placed(name: str, center: list[float], confidence: float = 0.9) -> PoseEstimate:
    pose = Rigid(np.eye(3), -np.array(center))
    return PoseEstimate(name, pose, "pnp", covariance=1e-6 * np.eye(6), confidence=confidence)


def lost(name: str) -> PoseEstimate:
    return PoseEstimate(name, None, "none", reason="nothing seen")


def by_sequences(queries: Capture, settings: LocalizationConfig, alone: list[PoseEstimate]) -> list[PoseEstimate]:
    return with_odometry(queries, settings, alone, {})


def config(**settings: object) -> LocalizationConfig:
    return LocalizationConfig(sequence=SequenceConfig(**{"use": "interpolate", **settings}))


def along(missing: set[int], count: int = 8) -> list[PoseEstimate]:
    """Estimates of a walk of 0.1 m a second, without those that are missing."""
    return [lost(f"cam{i}") if i in missing else placed(f"cam{i}", [0.1 * i, 0, 0]) for i in range(count)]


def test_images_without_a_pose_get_one_and_all_others_stay() -> None:
    given = along({3, 4})
    found = by_sequences(walk(8), config(), given)
    assert [e.source for e in found] == ["pnp"] * 3 + ["sequence"] * 2 + ["pnp"] * 3
    assert all(a is b for a, b in zip(found, given, strict=True) if b.is_localized)
    np.testing.assert_allclose(found[3].cam_from_world.center, [0.3, 0, 0], atol=1e-12)
    assert found[3].reason == "" and 0.8 < found[3].confidence <= 0.9


def test_none_changes_nothing() -> None:
    given = along({3})
    assert all(a is b for a, b in zip(by_sequences(walk(8), config(use="none"), given), given, strict=True))


def test_causal_holds_the_last_pose() -> None:
    found = by_sequences(walk(8), config(causal=True), along({5}))
    np.testing.assert_allclose(found[5].cam_from_world.center, [0.4, 0, 0], atol=1e-12)
    assert found[5].covariance[3, 3] > 0.1**2


def test_where_no_image_of_a_sequence_has_a_pose_nothing_is_placed() -> None:
    found = by_sequences(walk(8), config(), along(set(range(8))))
    assert {e.source for e in found} == {"none"} and found[0].reason == "nothing seen"


def test_poses_beyond_the_gap_say_nothing() -> None:
    found = by_sequences(walk(20), config(max_gap=2 * SECOND), along(set(range(6, 20)), 20))
    assert [e.is_localized for e in found] == [True] * 8 + [False] * 12


def test_a_pose_that_the_motion_leaves_open_is_refused_with_the_reason() -> None:
    fast = [lost(f"cam{i}") if i > 5 else placed(f"cam{i}", [3.0 * i, 0, 0]) for i in range(8)]
    found = by_sequences(walk(8), config(), fast)
    assert not found[6].is_localized
    assert found[6].reason.startswith("nothing seen; its sequence leaves ") and "m and 0" in found[6].reason
    assert by_sequences(walk(8), config(right_m=20.0), fast)[6].is_localized


def test_cameras_of_a_rig_follow_at_the_time_of_others_and_in_between() -> None:
    mounts = tuple(RigMember("rig", c, Rigid(np.eye(3), np.array([x, 0.0, 0]))) for c, x in (("a", 0.0), ("b", 5.0)))
    queries = walk(6, mounts)
    given = [
        placed(name, [0.1 * i, 0, 0]) if camera == "a" and i != 3 else lost(name)
        for i in range(6)
        for camera, name in (("a", f"a{i}"), ("b", f"b{i}"))
    ]
    found = {e.name: e for e in by_sequences(queries, config(), given)}
    assert all(e.is_localized for e in found.values()) and found["a2"].source == "pnp"
    np.testing.assert_allclose([found[f"b{i}"].cam_from_world.center[0] for i in (2, 3)], [-4.8, -4.7], atol=1e-9)


def test_photos_that_nothing_took_one_after_the_other_are_refused_before_any_work(
    built: Path, drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = "--sequence", "interpolate", "--causal", "--sequence.max-gap", "1", "--quiet"
    assert run("localize", built, drive / "drive", tmp_path / "poses.txt", *flags) == 2
    assert "--sequence interpolate: no two of 15 queries were taken by one camera or rig" in capsys.readouterr().err
    assert not any((tmp_path / "vloc.work").glob("extract-*"))


def test_photos_in_memory_are_no_sequence(built: Path) -> None:
    with pytest.raises(ConfigError, match=r"use=interpolate: a single photo is none: .* `vloc.Tracker` follows one"):
        vloc.Localizer(built, sequence={"use": "interpolate"})


def test_the_drive_is_placed_whole_with_honest_covariances(built: Path, drive: Path) -> None:
    limits, out = ("--sequence.right-m", "20", "--sequence.right-deg", "180"), drive / "poses.txt"
    assert run("localize", built, drive / "drive", out, "--sequence", "interpolate", *limits, "--quiet") == 0
    found, truth = read_poses(out), read_poses(drive / "drive_truth.txt")
    rows = {row["name"]: row for row in json.loads((drive / "poses.txt.json").read_text())}
    assert len(found) == 15 and {row["source"] for row in rows.values()} == {"pnp", "sequence"}
    for name, row in rows.items():
        metres, _ = pose_errors(found[name], truth[name])
        assert metres <= 3.5 * np.sqrt(np.trace(np.array(row["covariance"])[3:, 3:])) + 0.002


def tum(folder: Path, times: list[float], x: list[float]) -> str:
    """A trajectory of a body that moves along x, from another origin."""
    lines = [f"{time} {place - 40.0} 0 0 0 0 0 1" for time, place in zip(times, x, strict=True)]
    (folder / "way.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"tum:{folder / 'way.txt'}"


def uneven(count: int = 8) -> list[float]:
    """A walk that no interpolation continues."""
    return [0.1 * i + (0.8 if i % 2 else 0.0) for i in range(count)]


def drifting(way: list[float]) -> list[float]:
    """The same, with two centimetres or so of error at every step."""
    return list(np.array(way) + np.cumsum([0, 0.02, -0.01, 0.03, -0.02, 0.02, 0.01, -0.02]))


def led_by(location: str, alone: list[PoseEstimate]) -> list[PoseEstimate]:
    queries, settings = walk(len(alone)), config(use="odometry", odometry=location)
    return with_odometry(queries, settings, alone, check_sequences(queries, settings.sequence))


def test_photos_without_a_pose_get_the_one_that_odometry_leads_to(tmp_path: Path) -> None:
    way = uneven()
    given = [lost(f"cam{i}") if i in (2, 3, 7) else placed(f"cam{i}", [x, 0, 0]) for i, x in enumerate(way)]
    found = led_by(tum(tmp_path, list(range(8)), drifting(way)), given)
    np.testing.assert_allclose([e.cam_from_world.center[0] for e in found], way, atol=0.03)
    assert [e.source for e in found] == ["pnp", "pnp", "sequence", "sequence", "pnp", "pnp", "pnp", "sequence"]


def test_a_pose_that_odometry_contradicts_is_named_and_corrected(tmp_path: Path) -> None:
    way = uneven()
    given = [placed(f"cam{i}", [x + (9.0 if i == 4 else 0.0), 0, 0]) for i, x in enumerate(way)]
    found = led_by(tum(tmp_path, list(range(8)), drifting(way)), given)
    np.testing.assert_allclose(found[4].cam_from_world.center, [way[4], 0, 0], atol=0.03)
    assert found[4].source == "sequence" and found[4].reason == "its own pose was 9 m and 0 deg off its sequence's"
    assert [e.source for e in found[:4] + found[5:]] == ["pnp"] * 7


def test_with_few_poses_nothing_is_led_and_the_reason_said(tmp_path: Path) -> None:
    given = [placed(f"cam{i}", [0.1 * i, 0, 0]) if i < 3 else lost(f"cam{i}") for i in range(8)]
    found = led_by(tum(tmp_path, list(range(8)), uneven()), given)
    assert found[5].reason == "nothing seen; photos of its sequence have poses at 3 times, odometry takes 4"


def test_odometry_of_other_times_is_refused_before_any_work(
    built: Path, drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    location = tum(tmp_path, [5.0, 6.0], [0.0, 1.0])
    flags = "--sequence", "odometry", "--odometry", location, "--quiet"
    assert run("localize", built, drive / "drive", tmp_path / "poses.txt", *flags) == 2
    told = capsys.readouterr().err
    assert (
        "odometry from 5000000000 to 6000000000, expected to cover the queries of 'rig', 1700000000000000000 to" in told
    )
    assert not any((tmp_path / "vloc.work").glob("extract-*"))


def test_odometry_of_the_drive_places_all_of_it(built: Path, drive: Path) -> None:
    out, location = drive / "poses.txt", f"tum:{drive / 'drive_odometry.txt'}"
    flags = "--rig", "joint", "--sequence", "odometry", "--odometry", location, "--quiet"
    assert run("localize", built, drive / "drive", out, *flags) == 0
    found, truth = read_poses(out), read_poses(drive / "drive_truth.txt")
    assert len(found) == 15 and max(pose_errors(found[name], truth[name])[0] for name in found) < 0.1


def test_odometry_of_a_camera_on_the_rig_is_that_of_the_rig(tmp_path: Path) -> None:
    mount = Rigid(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]), np.array([0.3, 0.1, 0]))
    queries = walk(3, (RigMember("rig", "a", mount), RigMember("rig", "b", Rigid.identity())))
    poses = [Rigid(np.eye(3), np.array([-float(i), 0, 0])) for i in range(3)]
    rows = [(i * SECOND, "a", mount @ pose) for i, pose in enumerate(poses)]
    known = replace(queries, trajectory=Trajectory.from_rows(rows))
    (odometry,) = check_sequences(known, SequenceConfig("odometry")).values()
    np.testing.assert_allclose(odometry.poses.translation, [pose.translation for pose in poses], atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"use": "interpolate", "odometry": "x"}, "expected with --sequence odometry, not interpolate"),
        ({"use": "odometry", "causal": True}, "--causal: expected with --sequence interpolate"),
        ({"causal": True}, "--causal: expected with --sequence interpolate, not none"),
        ({"share": True}, "--sequence.share: expected with --sequence interpolate or odometry, not none"),
        (
            {"use": "odometry"},
            "the queries' capture: odometry of nothing, expected of 'cam', .*: give it with --odometry",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        check_sequences(walk(3), SequenceConfig(**settings))


def test_a_pose_that_no_motion_reaches_is_refused_and_replaced_with_a_note() -> None:
    given = along({3}, 20)
    given[9] = placed("cam9", [6.0, 0, 0], 0.99)
    found = by_sequences(walk(20), config(), given)
    np.testing.assert_allclose(found[9].cam_from_world.center, [0.9, 0, 0], atol=1e-9)
    assert found[9].source == "sequence"
    assert found[9].reason == "no motion of its sequence reaches its own pose: the others lead 5.1 m and 0 deg away"
    assert [e.source for e in found].count("sequence") == 2 and found[3].reason == ""


def test_a_pose_that_no_motion_reaches_and_nothing_replaces_is_none() -> None:
    given = [*along(set(), 8), *along(set(range(60)), 60)[8:]]
    given[30] = placed("cam30", [900.0, 0, 0])  # far from all others in time
    found = by_sequences(walk(60), config(max_step_m=0.2, max_gap=3 * SECOND), given)
    assert not found[30].is_localized and found[30].confidence == 0.0
    assert found[30].reason == "no motion of its sequence reaches its own pose"


def test_of_two_poses_of_one_time_that_cannot_both_be_the_one_that_agrees_with_others_stays() -> None:
    mounts = tuple(RigMember("rig", c, Rigid.identity()) for c in "ab")
    given = {f"{c}{i}": placed(f"{c}{i}", [0.1 * i, 0, 0]) for i in range(9) for c in "ab"}
    given["b4"] = placed("b4", [7.0, 0, 0], 0.99)
    found = {e.name: e for e in by_sequences(walk(9, mounts), config(), list(given.values()))}
    np.testing.assert_allclose([found[name].cam_from_world.center[0] for name in ("a4", "b4")], [0.4, 0.4], atol=1e-9)
    assert found["b4"].source == "sequence" and found["a4"].source == "pnp"


def test_photos_that_fail_are_looked_at_again_with_what_their_neighbours_bring(built: Path, drive: Path) -> None:
    map_, few = vloc.Map.open(built), {"num_retrieved": 1}
    way = {"use": "interpolate", "max_gap": 100 * SECOND}
    given = {"retrieve": few, "rig": {"use": "transfer"}}
    alone = vloc.localize(map_, drive / "drive", drive / "few", **given, sequence=way)
    shared = vloc.localize(map_, drive / "drive", drive / "few", **given, sequence={**way, "share": True})
    truth, more = read_poses(drive / "drive_truth.txt"), 0
    for before, after in zip(alone, shared, strict=True):
        if before.source == "pnp":
            assert max(pose_errors(before.cam_from_world, after.cam_from_world)) < 1e-9
        more += len(after.retrieved) > 1
        assert after.source != "pnp" or pose_errors(after.cam_from_world, truth[after.name])[0] < 0.05
    assert more and sum(e.source == "pnp" for e in shared) >= sum(e.source == "pnp" for e in alone)
