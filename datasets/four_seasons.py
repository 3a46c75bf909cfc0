"""4Seasons (Wenzel et al., GCPR 2020), a recording to map and one to localize: the unpacked folders as kapture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Readings, Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages
from vloc.formats.text_fields import parse_integer, refusal
from vloc.formats.text_lines import data_lines, lines_of
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .importing import numbers_in, required, rigid_of, rows_of_numbers, write_scene

RIG, CAMERAS = "car", ("cam0", "cam1")
IMU_COLUMNS = {
    "gyroscope": ("x_speed", "y_speed", "z_speed"),
    "accelerometer": ("x_accel", "y_accel", "z_accel"),
}


@dataclass(frozen=True)
class FourSeasonsConfig:
    """Which recordings to import."""

    mapping: Path
    """folder of the recording to map, with GNSSPoses.txt, Transformations.txt and undistorted_images/"""
    query: Path
    """folder of the recording to localize in it; its truth is in the coordinates of the first"""
    calibration: Path
    """folder with undistorted_calib_0.txt, undistorted_calib_1.txt and undistorted_calib_stereo.txt"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


@dataclass(frozen=True)
class World:
    """Where the poses of a recording are on Earth: `earth_from_visual` (ECEF, m) of positions times `scale`."""

    earth_from_visual: Rigid
    scale: float
    earth_from_scene: Rigid
    """the recording's own east, north, up"""


def make(root: Path, config: FourSeasonsConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`, in metres east, north and up.

    Poses are those fused with RTK-GNSS; images without one stay. DataError names file and line of what is broken.
    """
    scene_from_earth = read_world(config.mapping).earth_from_scene.inverse()
    captures = [capture_of(folder, config.calibration, scene_from_earth) for folder in (config.mapping, config.query)]
    write_scene(root, captures[0], captures[1], config.transfer)


def capture_of(folder: Path, calibration: Path, scene_from_earth: Rigid) -> Capture:
    """A recording: the stereo pair, poses, gyroscope and accelerometer; timestamps are ns, the ids of the frames."""
    names = [
        (path, camera) for camera in CAMERAS for path in sorted((folder / "undistorted_images" / camera).glob("*.png"))
    ]
    if not names:
        raise DataError(f"{folder / 'undistorted_images'}: no images in {' and '.join(CAMERAS)}")
    readings = imu_readings(folder / "imu.txt")
    return Capture(
        sensors_of(calibration) | {kind: Sensor(kind) for kind in readings},
        Records.from_rows([(_id(path), camera, path.relative_to(folder).as_posix()) for path, camera in names]),
        Trajectory.from_rows([(time, RIG, pose) for time, pose in read_poses(folder, scene_from_earth).items()]),
        (RigMember(RIG, "cam0", Rigid.identity()), RigMember(RIG, "cam1", right_from_left(calibration))),
        readings=readings,
        files=FolderImages(folder),
    )


def _id(path: Path) -> int:
    try:
        return parse_integer(path.stem)
    except ValueError as error:
        raise DataError(f"{path}: {error}: expected an image named by its time, ns") from None


def sensors_of(calibration: Path) -> dict[str, Sensor]:
    """Both cameras, undistorted: `Pinhole fx fy cx cy 0 0 0 0` and a line with the size."""
    sensors = {}
    for number, camera in enumerate(CAMERAS):
        path = required(calibration / f"undistorted_calib_{number}.txt")
        lines = [(line, text.split()) for line, text in data_lines(path)]
        if len(lines) < 2 or lines[0][1][:1] != ["Pinhole"]:
            raise refusal(path, 1, "no pinhole camera", "Pinhole fx fy cx cy, then width height")
        params = numbers_in(path, lines[0][0], lines[0][1][1:])
        if len(params) < 4 or any(params[4:]):
            raise refusal(path, lines[0][0], "distortion of an undistorted camera, or too few numbers", "fx fy cx cy")
        width, height = numbers_in(path, lines[1][0], lines[1][1], 2)
        sensors[camera] = Sensor("camera", camera, Camera("PINHOLE", int(width), int(height), tuple(params[:4])))
    return sensors


def right_from_left(calibration: Path) -> Rigid:
    """`cam1_from_cam0`: the pair is rectified, and the right camera stands to the right of the left one.

    The sign of the file's x differs with who explains it; where the camera stands does not.
    """
    path = calibration / "undistorted_calib_stereo.txt"
    matrix = np.array([row for _, row in rows_of_numbers(path, 4)])
    if matrix.shape != (4, 4):
        raise DataError(f"{path}: {len(matrix)} rows, expected a 4 x 4 matrix")
    given = rigid_of(path, matrix)
    if given.translation[0] == 0:
        raise DataError(f"{path}: the cameras are at one place")
    return given if given.translation[0] < 0 else given.inverse()


def read_poses(folder: Path, scene_from_earth: Rigid) -> dict[int, Rigid]:
    """`rig_from_scene` of keyframes by time. A line has the id, position and quaternion (w last), camera to world."""
    world, path = read_world(folder), required(folder / "GNSSPoses.txt")
    scene_from_visual = scene_from_earth @ world.earth_from_visual
    poses: dict[int, Rigid] = {}
    for line, text in data_lines(path):
        fields = [field.strip() for field in text.split(",")]
        if fields[0].lstrip("# ").startswith("frame_id"):
            continue
        try:
            time = parse_integer(fields[0])
        except ValueError as error:
            raise refusal(path, line, f"frame id: {error}", found=fields[0]) from None
        visual_from_rig = _rigid(path, line, numbers_in(path, line, fields[1:8], 7))
        if time in poses:
            raise refusal(path, line, f"frame {time} is here twice")
        placed = Rigid(visual_from_rig.rotation, visual_from_rig.translation * world.scale)
        poses[time] = (scene_from_visual @ placed).inverse()
    return poses


def read_world(folder: Path) -> World:
    """The chain of Transformations.txt: e_gpsw * inverse(w_gpsw) * S_AS, as the authors' documentation multiplies."""
    path, values, name = required(folder / "Transformations.txt"), dict[str, tuple[int, list[float]]](), ""
    for line, text in enumerate(lines_of(path), start=1):
        if text.strip().startswith("#"):
            name = text.strip("# ").partition(":")[0].strip()
        elif text.strip():
            values[name] = line, numbers_in(path, line, text.replace(",", " ").split())
    wanted = ("transform_S_AS", "transform_w_gpsw", "transform_e_gpsw", "GNSS scale")
    if missing := [name for name in wanted if name not in values]:
        raise DataError(f"{path}: no '{missing[0]}'")
    metric_from_slam, world_from_scene, earth_from_scene = (_rigid(path, *values[name]) for name in wanted[:3])
    line, scale = values["GNSS scale"]
    if not scale or scale[0] <= 0:
        raise refusal(path, line, "GNSS scale is not positive")
    return World(earth_from_scene @ world_from_scene.inverse() @ metric_from_slam, scale[0], earth_from_scene)


def _rigid(path: Path, line: int, numbers: list[float]) -> Rigid:
    """From tx ty tz qx qy qz qw."""
    if len(numbers) != 7 or np.linalg.norm(numbers[3:]) == 0:
        raise refusal(path, line, f"{len(numbers)} numbers or no rotation", "tx, ty, tz, qx, qy, qz, qw")
    return Rigid.from_quat_wxyz(np.array([numbers[6], *numbers[3:6]]), np.array(numbers[:3]))


def imu_readings(path: Path) -> dict[str, Readings]:
    """Gyroscope (rad/s) and accelerometer (m/s^2) by time; nothing where there is no such file.

    A line has the time (ns), three angular speeds and three accelerations.
    """
    if not path.is_file():
        return {}
    times, rows = list[int](), list[list[float]]()
    for line, text in data_lines(path):
        first, *rest = text.replace(",", " ").split()
        try:
            times.append(parse_integer(first))
        except ValueError as error:
            raise refusal(path, line, f"time: {error}", found=first) from None
        rows.append(numbers_in(path, line, rest, 6))
    order = np.argsort(times, kind="stable")
    stamps, values = np.array(times, np.int64)[order], np.array(rows, np.float64).reshape(-1, 6)[order]
    devices = np.zeros(len(stamps), np.int32)
    return {
        kind: Readings(stamps, devices, (kind,), {name: values[:, 3 * part + i] for i, name in enumerate(columns)})
        for part, (kind, columns) in enumerate(IMU_COLUMNS.items())
    }
