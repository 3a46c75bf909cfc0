"""Mounts of cameras from poses of their images, on a rig whose mounts are known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.capture import Capture, Sensor
from vloc.data.mounts import check_mounts, estimate_mounts, members_of, poses_by_camera
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid

TURN = Rotation.from_rotvec([0.1, 0.7, -0.2]).as_matrix()
KNOWN = {
    "a": Rigid.identity(),
    "b": Rigid(TURN, np.array([0.5, -0.1, 0.0])),
    "c": Rigid(TURN.T, np.array([0.0, 0.3, 0.2])),
}


def driven(times: dict[str, range], noise: float = 0.0) -> dict[str, dict[int, Rigid]]:
    """Poses of cameras at some times of a walk."""
    rng = np.random.default_rng(0)
    turns = Rotation.random(30, random_state=1).as_matrix()
    poses = [Rigid(turn, place) for turn, place in zip(turns, rng.normal(0, 5, (30, 3)), strict=True)]

    def slip() -> Rigid:
        return Rigid(Rotation.from_rotvec(rng.normal(0, noise, 3)).as_matrix(), rng.normal(0, noise, 3))

    return {camera: {t: slip() @ KNOWN[camera] @ poses[t] for t in ts} for camera, ts in times.items()}


def test_mounts_are_found_in_the_axes_of_the_reference() -> None:
    found = estimate_mounts(driven(dict.fromkeys("abc", range(20)), noise=1e-3), "b")
    assert found[0].camera == "b" and {mount.camera for mount in found} == set("abc")
    for mount in found:
        metres, radians = pose_errors(mount.cam_from_rig, KNOWN[mount.camera] @ KNOWN["b"].inverse())
        assert metres < 2e-3 and radians < 1e-3 and mount.num_instants == 20


def test_the_camera_with_most_poses_is_the_reference() -> None:
    found = estimate_mounts(driven({"a": range(10), "b": range(20), "c": range(10)}))
    assert found[0].camera == "b" and max(pose_errors(found[0].cam_from_rig, Rigid.identity())) == 0


def test_a_camera_never_placed_with_the_reference_hangs_on_another() -> None:
    found = {m.camera: m for m in estimate_mounts(driven({"a": range(12), "b": range(5, 20), "c": range(13, 20)}), "a")}
    assert max(pose_errors(found["c"].cam_from_rig, KNOWN["c"])) < 1e-9 and found["c"].num_instants == 7


def test_wrong_poses_are_counted_and_left_out() -> None:
    poses = driven(dict.fromkeys("ab", range(20)), noise=1e-4)
    poses["b"] |= {time: poses["b"][19 - time] for time in range(6)}
    _, found = estimate_mounts(poses, "a")
    assert found.num_agreeing <= 14 and max(pose_errors(found.cam_from_rig, KNOWN["b"])) < 1e-3
    assert found.median_m < 1e-3 and found.median_deg < 0.05


def test_known_mounts_are_compared_in_their_own_rig() -> None:
    wrong = Rigid(KNOWN["c"].rotation, KNOWN["c"].translation + np.array([0.0, 0.0, 0.1]))
    on_car = Rigid(TURN @ TURN, np.array([1.0, 2, 3]))
    members = {name: mount @ on_car for name, mount in {**KNOWN, "c": wrong}.items()}
    found = {
        mount.camera: mount for mount in check_mounts(driven({"a": range(20), "b": range(9), "c": range(9)}), members)
    }
    off = {name: pose_errors(found[name].cam_from_rig, members[name])[0] for name in members}
    assert off["a"] < 1e-9 and off["b"] < 1e-9 and off["c"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("times", "reference", "message"),
    [
        ({}, None, "no image has a pose"),
        ({"a": range(5)}, "b", "no image of camera 'b' has a pose"),
        ({"a": range(5), "b": range(3, 9)}, "a", "camera 'b': 2 instants at which it and a camera on the rig of 'a'"),
    ],
)
def test_too_few_poses_are_said_to_be_too_few(times: dict, reference: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        estimate_mounts(driven(times), reference)


def test_poses_are_sorted_by_camera_and_time_and_members_made_of_mounts() -> None:
    images = Records.from_rows([(7, "a", "one"), (8, "b", "two"), (9, "b", "three")])
    capture = Capture({name: Sensor("camera") for name in "ab"}, images)
    found = poses_by_camera(capture, {"one": KNOWN["a"], "three": KNOWN["b"], "elsewhere": KNOWN["c"]})
    assert {camera: list(times) for camera, times in found.items()} == {"a": [7], "b": [9]}
    members = members_of(estimate_mounts(driven(dict.fromkeys("ab", range(5))), "a"), "car")
    assert [(member.rig_id, member.sensor_id) for member in members] == [("car", "a"), ("car", "b")]
