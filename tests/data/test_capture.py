"""A capture by image names, and rows in any order."""

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid


def test_capture_gives_pose_and_camera_by_image_name():
    camera = Camera("PINHOLE", 10, 10, (5.0, 5.0, 5.0, 5.0))
    records = Records.from_rows([(2, "cam", "b.jpg"), (1, "cam", "a.jpg")])
    trajectory = Trajectory.from_rows([(1, "cam", Rigid(np.eye(3), np.array([4.0, 0, 0])))])
    capture = Capture({"cam": Sensor("camera", "", camera)}, records, trajectory)
    assert records.names == ["a.jpg", "b.jpg"] and capture.camera("b.jpg") is camera
    assert capture.pose("a.jpg").translation[0] == 4 and capture.pose("b.jpg") is None
    assert repr(capture) == "Capture(2 images, 1 with poses, 1 sensors)"


def test_a_capture_without_images_has_no_poses():
    capture = Capture({}, Records.from_rows([]))
    assert len(capture.cam_from_world) == 0 and capture.has_pose.shape == (0,)


def test_rows_in_any_order_become_the_same_records_and_trajectory():
    rows = [(3, "b", "x"), (1, "b", "y"), (3, "a", "z")]
    one, other = Records.from_rows(rows), Records.from_rows(rows[::-1])
    assert one.names == other.names == ["y", "z", "x"] and one.devices.tolist() == other.devices.tolist() == [1, 0, 1]
    poses = [(time, device, Rigid(np.eye(3), np.full(3, float(i)))) for i, (time, device, _) in enumerate(rows)]
    first, second = Trajectory.from_rows(poses), Trajectory.from_rows(poses[::-1])
    assert first.translation[:, 0].tolist() == second.translation[:, 0].tolist() == [1, 2, 0]


def test_an_empty_trajectory_has_no_rows():
    assert len(Trajectory.empty()) == len(Trajectory.from_rows([])) == 0


def test_a_capture_has_vlocs_pixel_centre_unless_its_source_says_otherwise():
    assert Capture({}, Records.from_rows([])).pixel_center == 0.5


@pytest.mark.parametrize(
    ("source", "known"),
    [("calibrated", (False, False, False)), ("guessed", (True, False, True)), ("EXIF 35 mm tag", (False, True, True))],
)
def test_intrinsics_are_rough_where_the_focal_length_is_guessed_or_from_a_header(source, known):
    sensor = Sensor("camera", focal_source=source)
    assert (sensor.has_guessed_focal, sensor.has_exif_focal, sensor.is_rough) == known
