"""Which side of a photo is up, worked out by hand from what an accelerometer at rest feels: 9.8 m/s^2 upwards."""

import pickle

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.capture import Capture, Sensor
from vloc.data.gravity import NUM_READINGS, Gravity
from vloc.data.records import Readings, Records
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.geometry.quarter_turns import turned
from vloc.geometry.rigid import Rigid

SIDES = {"top": (0, -1, 0), "right": (1, 0, 0), "bottom": (0, 1, 0), "left": (-1, 0, 0)}
"""side of a photo -> the way there in camera axes: x to the right, y down"""


def rotated(rotation: np.ndarray) -> Rigid:
    return Rigid(rotation, np.array([0.1, 0.2, 0.3]))


SAME = np.eye(3)


def capture(
    forces: np.ndarray, cam_from_rig: np.ndarray = SAME, device_from_rig: np.ndarray = SAME, time: int = 0
) -> Capture:
    """A photo `a` of a camera on a rig with an accelerometer that has a reading every 10, the first at 0."""
    columns = dict(zip(("x_accel", "y_accel", "z_accel"), np.asarray(forces, float).T, strict=True))
    times = 10 * np.arange(len(forces))
    readings = Readings(times, np.zeros(len(forces), np.int32), ("imu",), columns)
    rigs = RigMember("rig", "cam", rotated(cam_from_rig)), RigMember("rig", "imu", rotated(device_from_rig))
    sensors = {"cam": Sensor("camera"), "imu": Sensor("accelerometer")}
    return Capture(sensors, Records.from_rows([(time, "cam", "a")]), rigs=rigs, readings={"accelerometer": readings})


@pytest.mark.parametrize("side", SIDES)
def test_the_side_that_is_up_is_turned_to_the_top(side: str) -> None:
    photo = np.zeros((6, 8), np.uint8)
    photo[{"top": np.s_[0], "right": np.s_[:, -1], "bottom": np.s_[-1], "left": np.s_[:, 0]}[side]] = 200
    turns = Gravity(capture(9.8 * np.array([SIDES[side]]))).quarter_turns("a")
    assert turned(photo, turns)[0].min() == 200


@pytest.mark.parametrize(("tilt_deg", "turns"), [(0, 0), (44, 0), (46, 3), (134, 3), (136, 2), (-44, 0), (-46, 1)])
def test_the_nearest_side_counts(tilt_deg: float, turns: int) -> None:
    tilt = np.radians(tilt_deg)
    up = [9.8 * np.sin(tilt), -9.8 * np.cos(tilt), 0.5]
    assert Gravity(capture([up])).quarter_turns("a") == turns


@pytest.mark.parametrize(("pitch_deg", "turns"), [(59, 3), (61, 0), (90, 0), (-61, 0), (-59, 3)])
def test_a_photo_that_looks_up_or_down_stays(pitch_deg: float, turns: int) -> None:
    pitch = np.radians(pitch_deg)
    assert Gravity(capture([[9.8 * np.cos(pitch), 0, 9.8 * np.sin(pitch)]])).quarter_turns("a") == turns


def test_forces_are_felt_in_the_axes_of_the_sensor_not_of_the_camera() -> None:
    cam_from_rig, device_from_rig = Rotation.random(2, random_state=4).as_matrix()
    felt = device_from_rig @ cam_from_rig.T @ [9.8, 0, 0]
    assert Gravity(capture([felt], cam_from_rig, device_from_rig)).quarter_turns("a") == 3


def test_what_shakes_the_camera_averages_out_over_the_readings_around() -> None:
    forces = np.tile([0, -9.8, 0], (200, 1)) + np.random.default_rng(1).normal(0, 10, (200, 3))
    forces[:80] = forces[130:] = (9.8, 0, 0)  # before and after, the camera lay on its side
    gravity = Gravity(capture(forces, time=1049))
    assert gravity.quarter_turns("a") == 0
    assert Gravity(capture(forces, time=300)).quarter_turns("a") == 3


def test_readings_too_far_off_in_time_say_nothing() -> None:
    forces = np.tile([9.8, 0, 0], (5, 1))
    assert Gravity(capture(forces, time=40 + 10 * NUM_READINGS)).quarter_turns("a") == 3
    with pytest.raises(DataError, match="a: accelerometer 'imu' has no reading near it in time"):
        Gravity(capture(forces, time=41 + 10 * NUM_READINGS)).quarter_turns("a")


def test_it_travels_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Gravity(capture([[9.8, 0, 0]])))).quarter_turns("a") == 3


def test_a_capture_without_an_accelerometer_says_so() -> None:
    with pytest.raises(DataError, match=r"no accelerometer readings .*--upright exif or none"):
        Gravity(Capture({}, Records.from_rows([])))


def test_a_camera_on_no_rig_with_an_accelerometer_says_so() -> None:
    alone = capture([[0, -9.8, 0]])
    object.__setattr__(alone, "rigs", alone.rigs[:1])
    with pytest.raises(DataError, match=r"camera 'cam': rigs.txt places no accelerometer on its rig"):
        Gravity(alone).quarter_turns("a")
