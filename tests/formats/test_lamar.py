"""LaMAR sessions: poses the other way round by hand, round trips, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from everything import everything
from hypothesis import given, settings
from scenes import captures, check_same_cameras, converted, maupertuis

from vloc.errors import DataError
from vloc.formats.access import find_format, read, write

SENSORS = """# sensor_id, name, sensor_type, [sensor_params]+
cam, left, camera, PINHOLE, 100, 80, 50, 50, 50, 40
"""
# The camera is one metre along the rig's x axis, turned a quarter about z: its x axis is the rig's y.
RIGS = f"""# rig_id, sensor_id, qw, qx, qy, qz, tx, ty, tz
rig, cam, {0.5**0.5!r}, 0, 0, {0.5**0.5!r}, 1, 0, 0
"""
# The rig is at (10, 0, 0) in the world, its axes the world's.
TRAJECTORY = """# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz, *covar
5, rig, 1, 0, 0, 0, 10, 0, 0
"""
IMAGES = """# timestamp, sensor_id, image_path
5, cam, images/0.jpg
"""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """One image by a camera on a rig."""
    folder = tmp_path / "location" / "sessions" / "phone1"
    folder.mkdir(parents=True)
    for name, text in {"sensors": SENSORS, "rigs": RIGS, "trajectories": TRAJECTORY, "images": IMAGES}.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_poses_are_sensor_to_rig_to_world(session):
    pose = read(session).pose("images/0.jpg")
    assert np.allclose(pose.center, [11, 0, 0])
    # Two metres along the world's y from there is two metres along the camera's x.
    assert np.allclose(pose.apply(np.array([[11.0, 2, 0]])), [[2, 0, 0]])


def test_only_session_of_a_capture_is_found_and_of_several_one_is_asked_for(session):
    location = session.parents[1]
    assert find_format(location)[0].name == "lamar"
    assert len(read(location).images) == 1
    second = session.parent / "phone2"
    second.mkdir()
    (second / "sensors.txt").write_text(SENSORS)
    with pytest.raises(DataError, match=r"which session\? Give location/sessions/NAME; there are phone1, phone2"):
        read(location)


def test_covariances_are_left_out_with_a_remark(session):
    (session / "trajectories.txt").write_text(TRAJECTORY.rstrip() + ", 0" * 36 + "\n")
    capture = read(session)
    assert np.allclose(capture.pose("images/0.jpg").center, [11, 0, 0])
    assert any("covariances of poses left out" in note for note in capture.notes)


@settings(max_examples=30, deadline=None)
@given(captures())
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    try:
        again = converted(capture, "lamar")
    except DataError as error:
        assert "cannot be written" in str(error)
        return
    check_same_cameras(capture, again)
    assert again.images.timestamps.tolist() == capture.images.timestamps.tolist()


def test_real_rig_comes_back_with_its_members(data):
    capture = read(data / "virtual_gallery_tutorial" / "mapping")
    again = converted(capture, "lamar")
    check_same_cameras(capture, again)
    assert [member.sensor_id for member in again.rigs] == [member.sensor_id for member in capture.rigs]
    check_same_cameras(maupertuis(data), converted(maupertuis(data), "lamar"))


def test_what_it_cannot_hold_is_counted(tmp_path):
    capture = everything()
    sensors = {name: sensor for name, sensor in capture.sensors.items() if name != "cam/b"}
    with pytest.raises(DataError, match="camera 'cam/b' has no intrinsics, which LaMAR needs"):
        write(capture, f"lamar:{tmp_path / 'a'}", transfer="skip")
    sensors["cam/b"] = capture.sensors["cam a"]
    known = replace(capture, sensors=sensors)
    losses = write(known, f"lamar:{tmp_path / 'b'}", transfer="skip")
    assert "2 half poses" in losses or "3 half poses" in losses
    assert "1 rig members of unknown pose" in losses
    assert "2 gnss records" in losses
    assert "3 points" in losses
    again = read(f"lamar:{tmp_path / 'b'}")
    assert list(again.readings) == ["wifi", "bluetooth"]
    assert again.readings["wifi"].columns["SSID"] == ["my net", "@ü"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("trajectories", "5, rig, 1, 0, 0, 0, , , \n", r"trajectories.txt:1: half a pose, or none"),
        ("trajectories", "5, rig, 1, 0, 0, 0, 1\n", r"trajectories.txt:1: 7 fields"),
        ("trajectories", "5, rig, 0, 0, 0, 0, 1, 1, 1\n", r"trajectories.txt:1: quaternion of norm 0"),
        ("images", "5, cam, ../0.jpg\n", r"images.txt:1: '\.\.' leads out"),
        ("images", "5, rig, 0.jpg\n", r"images.txt:1: device 'rig' is not in"),
        ("sensors", "cam, , camera\n", r"sensors.txt:1: camera without intrinsics"),
    ],
)
def test_what_cannot_be_true_is_refused_by_line(name, text, message, session):
    (session / f"{name}.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read(session)
