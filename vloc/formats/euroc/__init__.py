"""EuRoC MAV folders (`mav0`), as TUM-VI and many others copy them. Read only; see `about` for what is kept.

Each sensor has `T_BS`, body_from_sensor; ground truth is world_from_sensor of its own sensor. Everything hangs on one
rig, `body`. Times are nanoseconds. Images get a pose where ground truth has exactly their time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...data.capture import Capture, Sensor
from ...data.records import Readings, Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, register
from ..images import FolderImages, first_unsafe
from ..kapture.readings import READING_COLUMNS
from ..kapture.sensors import ZERO_NORM, quaternion_norms
from ..remarks import Remarks
from ..text_tables import Table, read_tables
from .sensor import SensorSheet, read_sheet

BODY = "body"
GROUND_TRUTH = "state_groundtruth_estimate0"
_IMAGE_COLUMNS = ("timestamp [ns]", "filename")
_IMU_COLUMNS = ("timestamp [ns]", *(f"w_RS_S_{x} [rad s^-1]" for x in "xyz"), *(f"a_RS_S_{x} [m s^-2]" for x in "xyz"))
_POSE_COLUMNS = ("timestamp [ns]", *(f"p_RS_R_{x} [m]" for x in "xyz"), *(f"q_RS_{x} []" for x in "wxyz"))
_STATE_COLUMNS = (*_POSE_COLUMNS, *(f"{name}_{x}" for name in ("v_RS_R", "b_w_RS_S", "b_a_RS_S") for x in "xyz"))
# Where each kind of inertial readings is among the columns.
_INERTIAL = {"gyroscope": 1, "accelerometer": 4}


def mav_folder(path: Path) -> Path:
    """The folder with the sensors: `mav0` inside, or the folder itself."""
    return path / "mav0" if (path / "mav0").is_dir() else path


def recognises(path: Path) -> bool:
    """A folder, or its mav0, with a cam0 that has sensor.yaml or data.csv."""
    folder = mav_folder(path) / "cam0"
    return (folder / "sensor.yaml").is_file() and (folder / "data.csv").is_file()


def read(path: Path, options: ReadOptions) -> Capture:
    """Cameras, inertial sensors and ground truth; names of images are paths in mav0."""
    folder, remarks = mav_folder(path), Remarks()
    sheets = {file.parent.name: read_sheet(file) for file in sorted(folder.glob("*/sensor.yaml"))}
    if not any(sheet.kind == "camera" for sheet in sheets.values()):
        raise DataError(f"{folder}: no camera: expected cam0/sensor.yaml")
    sensors: dict[str, Sensor] = {}
    rigs: list[RigMember] = []
    rows: list[tuple[int, str, str]] = []
    readings: dict[str, list[Readings]] = {kind: [] for kind in _INERTIAL}
    for name, sheet in sheets.items():
        own: list[str] = []
        if sheet.camera is not None:
            sensors[name] = Sensor("camera", camera=sheet.camera.shifted(0.5 - options.pixel_center))
            rows += _images(folder / name / "data.csv", name, remarks)
            own = [name]
        elif sheet.kind == "imu":
            for kind, found in _inertial(folder / name / "data.csv", name, remarks).items():
                own.append(found.device_ids[0])
                sensors[own[-1]] = Sensor(kind)
                readings[kind].append(found)
        elif name != GROUND_TRUTH:
            remarks.add(folder / name, f"sensors of type {sheet.kind} left out")
        rigs += [RigMember(BODY, sensor, sheet.body_from_sensor.inverse()) for sensor in own]
    track = _ground_truth(folder, sheets.get(GROUND_TRUTH), remarks)
    images = Records.from_rows(rows)
    if len(track) and (without := int((~np.isin(images.timestamps, track.timestamps)).sum())):
        remarks.add(folder, "images without ground truth at their time", without)
    merged = {kind: _merged(parts) for kind, parts in readings.items() if parts}
    files = FolderImages(options.images or folder)
    return Capture(
        sensors,
        images,
        track,
        tuple(rigs),
        readings=merged,
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _images(path: Path, name: str, remarks: Remarks) -> list[tuple[int, str, str]]:
    rows: list[tuple[int, str, str]] = []
    for table in read_tables(path, _IMAGE_COLUMNS, remarks):
        files = table.text(1)
        if unsafe := first_unsafe(files):
            raise table.refusal(unsafe[0], unsafe[1], found=files[unsafe[0]])
        _check_times(path, table.integers(0), rows[-1][0] if rows else None, table.lines)
        rows += [(t, name, f"{name}/data/{file}") for t, file in zip(table.integers(0).tolist(), files, strict=True)]
    if len({row[2] for row in rows}) != len(rows):
        raise DataError(f"{path}: a file name is here twice")
    return rows


def _inertial(path: Path, name: str, remarks: Remarks) -> dict[str, Readings]:
    """Gyroscope (rad/s) and accelerometer (m/s^2), as two sensors named after the unit."""
    times: list[np.ndarray] = []
    values: list[np.ndarray] = []
    for table in read_tables(path, _IMU_COLUMNS, remarks):
        _check_times(path, table.integers(0), int(times[-1][-1]) if times else None, table.lines)
        times.append(table.integers(0))
        values.append(table.numbers(1, 7))
    stamps = np.concatenate([np.zeros(0, np.int64), *times])
    rows = np.concatenate([np.zeros((0, 6)), *values])
    none = np.zeros(len(stamps), np.int32)
    return {
        kind: Readings(
            stamps, none, (f"{name}_{kind}",),
            {column: rows[:, first - 1 + i] for i, column in enumerate(READING_COLUMNS[kind])},
        )
        for kind, first in _INERTIAL.items()
    }  # fmt: skip


def _check_times(path: Path, times: np.ndarray, before: int | None, lines: np.ndarray) -> None:
    """DataError where times do not rise."""
    last = times[0] - 1 if before is None else before
    wrong = np.flatnonzero(np.diff(times, prepend=last) <= 0)
    if len(wrong):
        raise DataError(f"{path}:{lines[wrong[0]]}: time {times[wrong[0]]} does not come after the one before")


def _merged(parts: list[Readings]) -> Readings:
    """Readings of several sensors in one table, sorted by time, then sensor."""
    ids = tuple(sorted(part.device_ids[0] for part in parts))
    devices = np.concatenate([np.full(len(part), ids.index(part.device_ids[0]), np.int32) for part in parts])
    times = np.concatenate([part.timestamps for part in parts])
    order = np.lexsort((devices, times))
    columns = {
        name: np.concatenate([np.asarray(part.columns[name]) for part in parts])[order] for name in parts[0].columns
    }
    return Readings(times[order], devices[order], ids, columns)


def _ground_truth(folder: Path, sheet: SensorSheet | None, remarks: Remarks) -> Trajectory:
    """Poses `body_from_world`; velocities and biases are left out, with a remark."""
    path = folder / GROUND_TRUTH / "data.csv"
    if not path.is_file():
        return Trajectory.empty()
    times, quats, positions = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    for table in read_tables(path, _STATE_COLUMNS, remarks):
        _check_times(path, table.integers(0), int(times[-1][-1]) if times else None, table.lines)
        times.append(table.integers(0))
        positions.append(table.numbers(1, 4))
        quats.append(_quaternions(table))
    if not times:
        return Trajectory.empty()
    remarks.add(path, "velocities and biases left out", sum(map(len, times)))
    world_from_sensor = Rigid.from_quat_wxyz(np.concatenate(quats), np.concatenate(positions))
    sensor_from_body = (sheet.body_from_sensor if sheet else Rigid.identity()).inverse()
    poses = (world_from_sensor @ sensor_from_body).inverse()
    stamps = np.concatenate(times)
    return Trajectory(stamps, np.zeros(len(stamps), np.int32), (BODY,), poses.quat_wxyz, poses.translation)


def _quaternions(table: Table) -> np.ndarray:
    """Quaternions w, x, y, z; DataError for one that is no rotation."""
    quats = table.numbers(4, 8)
    zero = np.flatnonzero(quaternion_norms(quats) < ZERO_NORM)
    if len(zero):
        raise table.refusal(int(zero[0]), "quaternion of norm 0", "a rotation, norm 1")
    return quats


register(
    Format(
        "euroc",
        "EuRoC MAV folder (mav0); cameras, rig, images, inertial readings, ground truth poses, no velocities or biases",
        recognises,
        read,
        pixel_center=0.0,  # Kalibr's, which is OpenCV's
    )
)
