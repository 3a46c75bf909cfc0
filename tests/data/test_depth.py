"""Which depth map belongs to which image."""

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.data.capture import Capture, Sensor
from vloc.data.depth import KeypointPlanes, depth_files
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

COLOR = Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0))
DEPTH = Camera("SIMPLE_PINHOLE", 32, 24, (25.0, 16.0, 12.0))
MOUNT = Rigid(Rotation.from_euler("y", 20, degrees=True).as_matrix(), np.array([0.1, 0.0, 0.02]))
BESIDE = Rigid(MOUNT.rotation, MOUNT.translation + np.array([0.05, 0.0, 0.0]))
POSE = Rigid(Rotation.from_euler("x", 10, degrees=True).as_matrix(), np.array([1.0, 2.0, 3.0]))


def capture(depths: list[tuple[int, str, str]], mounts: dict[str, Rigid]) -> Capture:
    """Two images of the camera `eye` on a rig, and depth maps of sensors with these mounts."""
    sensors = {"eye": Sensor("camera", "eye", COLOR)}
    sensors |= {device: Sensor("depth", device, DEPTH) for _, device, _ in depths}
    return Capture(
        sensors,
        Records.from_rows([(1, "eye", "a.jpg"), (2, "eye", "b.jpg")]),
        Trajectory.from_rows([(1, "rig", POSE), (2, "rig", POSE)]),
        tuple(RigMember("rig", sensor, pose) for sensor, pose in {"eye": MOUNT, **mounts}.items()),
        {"depth": Records.from_rows(depths)} if depths else {},
    )


def test_a_sensor_at_the_mount_of_the_camera_is_registered_to_it() -> None:
    found = depth_files(capture([(1, "tof", "a.depth"), (1, "beside", "no.depth")], {"tof": MOUNT, "beside": BESIDE}))
    assert {image: file.name for image, file in found.items()} == {"a.jpg": "a.depth"}
    assert found["a.jpg"].camera == DEPTH


def test_a_sensor_without_a_mount_is_registered_by_its_name() -> None:
    found = depth_files(capture([(1, "eye_depth", "a.depth"), (2, "other", "b.depth")], {}))
    assert {image: file.name for image, file in found.items()} == {"a.jpg": "a.depth"}


def test_a_name_does_not_stand_against_a_mount() -> None:
    assert depth_files(capture([(1, "eye_depth", "a.depth")], {"eye_depth": BESIDE})) == {}


def test_of_another_time_or_without_records_there_is_none() -> None:
    assert depth_files(capture([(3, "tof", "a.depth")], {"tof": MOUNT})) == {}
    assert depth_files(capture([], {})) == {}


def test_planes_are_stored() -> None:
    planes = np.array([[1, 2, 3], [np.nan] * 3], np.float32)
    np.testing.assert_array_equal(KeypointPlanes.from_arrays(KeypointPlanes(planes).to_arrays()).planes, planes)
