"""A session of a LaMAR capture: kapture's tables with poses the other way round. See `about` for what it keeps.

`trajectories.txt` has world_from_sensor and `rigs.txt` rig_from_sensor (its CAPTURE.md), where kapture has
sensor_from_world and sensor_from_rig. Files are in raw_data/. Covariances of poses are left out, with a remark.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...data.capture import Capture, Sensor
from ...data.records import Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, register
from ..images import FolderImages
from ..kapture.readings import read_readings
from ..kapture.records import TRAJECTORY_COLUMNS, DeviceRows, read_file_records, refuse_twice, rows_of_known
from ..kapture.sensors import read_poses, read_rigs, read_sensors
from ..remarks import Remarks
from ..text_lines import data_lines
from ..text_tables import read_tables
from .write import DATA, FILES, READINGS, write

_KNOWN = {"sensors", "rigs", "trajectories", *FILES.values(), *READINGS.values()}


def session_folder(path: Path) -> Path:
    """The folder itself, or the only session of a capture; DataError lists the choices."""
    if (path / "sensors.txt").is_file() or not (path / "sessions").is_dir():
        return path
    sessions = sorted(folder for folder in (path / "sessions").iterdir() if (folder / "sensors.txt").is_file())
    if len(sessions) != 1:
        choices = ", ".join(folder.name for folder in sessions) or "none"
        raise DataError(f"{path}: which session? Give {path.name}/sessions/NAME; there are {choices}")
    return sessions[0]


def recognises(path: Path) -> bool:
    """A folder with sensors.txt beside trajectories.txt or images.txt, or a capture with sessions that have them."""
    folders = [path, *sorted((path / "sessions").glob("*"))] if path.is_dir() else []
    return any(
        (folder / "sensors.txt").is_file() and any((folder / f"{x}.txt").is_file() for x in ("trajectories", "images"))
        for folder in folders
    )


def read(path: Path, options: ReadOptions) -> Capture:
    """One session, with its times as they are (microseconds, where LaMAR recorded them)."""
    folder, remarks = session_folder(path), Remarks()
    if not (folder / "sensors.txt").is_file():
        raise DataError(f"{folder / 'sensors.txt'}: no such file, but a session needs it")
    sensors = read_sensors(folder / "sensors.txt", options.pixel_center, remarks)
    for file in sorted(folder.glob("*.txt")):
        if file.stem not in _KNOWN:
            remarks.add(file, "files left unread")
    rigs = _rigs(folder / "rigs.txt", sensors, remarks)
    records = {
        kind: read_file_records(folder / f"{stem}.txt", kind, sensors, remarks)
        for kind, stem in FILES.items()
        if (folder / f"{stem}.txt").is_file()
    }
    readings = {
        kind: read_readings(folder / f"{stem}.txt", kind, sensors, remarks)
        for kind, stem in READINGS.items()
        if (folder / f"{stem}.txt").is_file()
    }
    if "depth" in records:
        remarks.add(
            folder / "depths.txt", "depth maps stay 16-bit PNG: kapture's are 32-bit floats", len(records["depth"])
        )
    images = records.pop("camera", None) or Records.from_rows([])
    track = read_trajectory(folder / "trajectories.txt", {*sensors, *(member.rig_id for member in rigs)}, remarks)
    files = FolderImages(options.images or folder / DATA)
    return Capture(
        sensors,
        images,
        track,
        rigs,
        records,
        readings,
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _rigs(path: Path, sensors: dict[str, Sensor], remarks: Remarks) -> tuple[RigMember, ...]:
    """Members with `sensor_from_rig`."""
    if not path.is_file():
        return ()
    members = read_rigs(path, sensors, remarks)
    return tuple(
        member if member.sensor_from_rig is None else replace(member, sensor_from_rig=member.sensor_from_rig.inverse())
        for member in members
    )


def read_trajectory(path: Path, known: set[str], remarks: Remarks) -> Trajectory:
    """Poses `device_from_world`."""
    if not path.is_file():
        return Trajectory.empty()
    columns = _columns(path, remarks)
    gathered, quats, translations = DeviceRows(), list[np.ndarray](), list[np.ndarray]()
    for table in read_tables(path, columns, remarks):
        rows = rows_of_known(table, known, remarks)
        gathered.add(table, rows)
        quat, translation = read_poses(table, 2, remarks)
        empty = np.flatnonzero(np.isnan(quat[:, 0]) | np.isnan(translation[:, 0]))
        if len(empty):
            raise table.refusal(int(empty[0]), "half a pose, or none", "rotation and translation")
        quats.append(quat[rows])
        translations.append(translation[rows])
    timestamps, devices, ids, order, lines = gathered.sorted()
    refuse_twice(path, timestamps, devices, ids, lines)
    if not len(timestamps):
        return Trajectory.empty()
    world_from_device = Rigid.from_quat_wxyz(np.concatenate(quats)[order], np.concatenate(translations)[order])
    poses = world_from_device.inverse()
    return Trajectory(timestamps, devices, ids, poses.quat_wxyz, poses.translation)


def _columns(path: Path, remarks: Remarks) -> tuple[str, ...]:
    """The columns of the first row: those of kapture, and maybe a covariance."""
    first = next((text for _, text in data_lines(path)), "")
    extra = first.count(",") + 1 - len(TRAJECTORY_COLUMNS)
    if extra != 36:
        return TRAJECTORY_COLUMNS
    remarks.add(path, "covariances of poses left out")
    return (*TRAJECTORY_COLUMNS, *(f"covariance {i}" for i in range(36)))


register(
    Format(
        "lamar",
        "session of a LaMAR capture; sensors, rigs, poses, images, depth, clouds, wifi, bluetooth, no reconstruction",
        recognises,
        read,
        write,
    )
)
