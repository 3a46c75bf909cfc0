"""TUM trajectories: a camera by hand, exact times, several devices, and what is refused."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import converted, poses

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.formats.tum import nanoseconds, seconds


def saved(folder: Path, text: str) -> Path:
    (folder / "walk.txt").write_text(text)
    return folder / "walk.txt"


def test_pose_by_hand_takes_a_point_from_world_to_device(tmp_path):
    # A quarter turn about z (x of the device is y of the world) at (10, 0, 0): the world's (10, 2, 0) is 2 along x.
    half = repr(0.5**0.5)
    capture = read(saved(tmp_path, f"# ground truth\n1305031102.175304 10 0 0 0 0 {half} {half}\n"))
    track = capture.trajectory
    assert track.timestamps.tolist() == [1305031102175304000]
    device_from_world = poses_of(capture)[0]
    assert np.allclose(device_from_world.apply(np.array([[10.0, 2, 0]])), [[2, 0, 0]])
    assert capture.sensors["walk"].kind == "odometry"
    assert find_format(tmp_path / "walk.txt")[0].name == "tum"


def poses_of(capture: Capture):
    from vloc.geometry.rigid import Rigid

    return Rigid.from_quat_wxyz(capture.trajectory.quat_wxyz, capture.trajectory.translation)


times = st.integers(-(2**63), 2**63 - 1)


@given(times)
def test_every_nanosecond_survives_as_decimal_seconds(time):
    assert nanoseconds(seconds(time)) == (time, True)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(times, st.sampled_from(["rig", "cam a", "ü"]), poses()),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row[:2],
    )
)
def test_trajectories_are_read_as_they_were_written(rows):
    rows = [(time, device, pose()) for time, device, pose in rows]
    sensors = {device: Sensor("odometry") for _, device, _ in rows}
    first = Capture(sensors, Records.from_rows([]), Trajectory.from_rows(rows))
    again = converted(first, "tum")
    assert again.trajectory.timestamps.tolist() == first.trajectory.timestamps.tolist()
    if len(sensors) > 1:
        assert again.trajectory.device_ids == first.trajectory.device_ids
        assert again.trajectory.devices.tolist() == first.trajectory.devices.tolist()
    a, b = poses_of(first), poses_of(again)
    assert np.abs(a.rotation - b.rotation).max() < 1e-12
    assert np.allclose(a.translation, b.translation, rtol=1e-12, atol=1e-8)


def test_rig_is_one_device_and_its_members_are_told_as_lost(data, tmp_path):
    capture = read(data / "virtual_gallery_tutorial" / "mapping")
    losses = write(capture, f"tum:{tmp_path / 'out.txt'}")
    assert any(line.startswith("2 rig members") or "rig members" in line for line in losses)
    assert any("12 images" in line for line in losses)
    again = read(f"tum:{tmp_path / 'out.txt'}")
    assert len(again.trajectory) == len(capture.trajectory)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 2 3", r"walk.txt:2: 3 fields; expected 8"),
        ("1e30 0 0 0 0 0 0 1", "beyond 64 bits"),
        ("nan 0 0 0 0 0 0 1", "no time in seconds"),
        ("1 0 0 nan 0 0 0 1", "not a number"),
        ("1 0 0 0 0 0 0 0", "quaternion of norm 0"),
        ("5.0 0 0 0 0 0 0 1", "time 5.0 is here twice, also in line 1"),
    ],
)
def test_lines_that_cannot_be_understood_are_refused_by_number(line, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(f"tum:{saved(tmp_path, f'5 0 0 0 0 0 0 1{chr(10)}{line}{chr(10)}')}")


def test_times_finer_than_nanoseconds_are_rounded_with_a_note(tmp_path):
    capture = read(saved(tmp_path, "1.403636579763555527e+09 0 0 0 0 0 0 1\n"))
    assert capture.trajectory.timestamps.tolist() == [1403636579763555527]
    capture = read(saved(tmp_path, "0.0000000016 0 0 0 0 0 0 1\n"))
    assert capture.trajectory.timestamps.tolist() == [2]
    assert capture.notes == ("walk.txt: 1 times finer than nanoseconds, rounded (first: line 1)",)


def test_long_quaternions_are_normalised_with_a_note(tmp_path):
    capture = read(saved(tmp_path, "5 0 0 0 0 0 0 3.4\n"))
    assert capture.trajectory.quat_wxyz.tolist() == [[1, 0, 0, 0]]
    assert capture.notes == ("walk.txt: 1 quaternions normalised (first: line 1, norm 3.4)",)


def test_capture_without_poses_and_devices_that_name_no_file_are_refused():
    with tempfile.TemporaryDirectory() as folder:
        none = Capture({}, Records.from_rows([]))
        with pytest.raises(DataError, match="no whole poses"):
            write(none, f"tum:{folder}/out")
        from vloc.geometry.rigid import Rigid

        rows = [(0, "a/b", Rigid.identity()), (0, "c", Rigid.identity())]
        two = Capture({"a/b": Sensor("odometry"), "c": Sensor("odometry")}, none.images, Trajectory.from_rows(rows))
        with pytest.raises(DataError, match="device 'a/b' cannot be the name of a file"):
            write(two, f"tum:{folder}/out")
