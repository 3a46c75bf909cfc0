"""Writing a session of a LaMAR capture: poses sensor to world, rigs sensor to rig."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Reconstruction
from ...data.records import Records
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..base import WriteOptions
from ..images import first_unsafe
from ..kapture.readings import reading_rows
from ..kapture.sensors import RIG_COLUMNS, SENSOR_COLUMNS
from ..kapture.write import check_field, sensor_params, transfer_files
from ..scene_export import counted

DATA = "raw_data"
# The file of each kind of records of files, and of numbers.
FILES = {"camera": "images", "depth": "depths", "lidar": "pointclouds"}
READINGS = {"wifi": "wifi", "bluetooth": "bt"}
_COLUMNS = {
    "images": ("timestamp", "sensor_id", "image_path"),
    "depths": ("timestamp", "sensor_id", "depth_path"),
    "pointclouds": ("timestamp", "sensor_id", "point_cloud_path"),
    "trajectories": ("timestamp", "device_id", "qw", "qx", "qy", "qz", "tx", "ty", "tz", "*covar"),
    "wifi": (
        "timestamp", "sensor_id", "mac_addr", "frequency_khz", "rssi_dbm", "name",
        "scan_time_start_us", "scan_time_end_us",
    ),
    "bt": ("timestamp", "sensor_id", "id", "rssi_dbm", "name"),
}  # fmt: skip


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A session folder. Cameras need intrinsics: LaMAR knows no others."""
    path.mkdir()
    _write_sensors(capture, path, options)
    members = [(m.rig_id, m.sensor_id, m.sensor_from_rig.inverse()) for m in capture.rigs if m.sensor_from_rig]
    if members:
        _write_table(path / "rigs.txt", RIG_COLUMNS, ([rig, sensor, *_numbers(pose)] for rig, sensor, pose in members))
    half = _write_trajectory(capture, path / "trajectories.txt")
    files = {"camera": capture.images, **capture.others}
    for kind, records in files.items():
        if len(records):
            _write_table(path / f"{FILES[kind]}.txt", _COLUMNS[FILES[kind]], _record_rows(records))
    for kind, readings in capture.readings.items():
        if kind in READINGS and len(readings):
            _write_table(path / f"{READINGS[kind]}.txt", _COLUMNS[READINGS[kind]], reading_rows(readings))
    work = capture.reconstruction or Reconstruction()
    features = (work.keypoints, work.descriptors, work.global_features, work.matches)
    losses = {
        "half poses": half,
        "rig members of unknown pose": len(capture.rigs) - len(members),
        **{f"{kind} records": len(rows) for kind, rows in capture.readings.items() if kind not in READINGS},
        "points": len(work.points or ()),
        "observations": sum(map(len, work.observations.values())),
        "types of features and matches": sum(map(len, features)),
    }
    names = [name for records in files.values() for name in records.names]
    return counted(losses) + transfer_files(capture.files, names, path / DATA, options.transfer)


def _write_sensors(capture: Capture, path: Path, options: WriteOptions) -> None:
    rows = []
    for sensor_id, sensor in capture.sensors.items():
        if sensor.camera is not None and not sensor.camera.is_known:
            raise DataError(f"camera '{sensor_id}' has no intrinsics, which LaMAR needs; give --camera")
        rows.append([sensor_id, sensor.name, sensor.kind, *sensor_params(sensor, options.pixel_center - 0.5)])
    _write_table(path / "sensors.txt", SENSOR_COLUMNS, rows)


def _write_trajectory(capture: Capture, path: Path) -> int:
    """Write the whole poses; the number of the others."""
    track = capture.trajectory
    full = np.flatnonzero(np.isfinite(track.quat_wxyz).all(1) & np.isfinite(track.translation).all(1))
    poses = Rigid.from_quat_wxyz(track.quat_wxyz[full], track.translation[full]).inverse()
    rows = [
        [str(track.timestamps[row]), track.device_ids[track.devices[row]], *_numbers(poses[i])]
        for i, row in enumerate(full.tolist())
    ]
    if rows:
        _write_table(path, _COLUMNS["trajectories"], rows)
    return len(track) - len(full)


def _record_rows(records: Records) -> Iterable[list[str]]:
    if unsafe := first_unsafe(records.names):
        raise DataError(f"'{records.names[unsafe[0]]!r}' cannot be written: {unsafe[1]}")
    for time, device, name in zip(records.timestamps.tolist(), records.devices.tolist(), records.names, strict=True):
        yield [str(time), records.device_ids[device], name]


def _numbers(pose: Rigid) -> list[str]:
    return [repr(x) for x in [*pose.quat_wxyz.tolist(), *pose.translation.tolist()]]


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Like kapture's tables, without its version line: these poses are the other way round."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"# {', '.join(columns)}\n")
        for row in rows:
            for field in row:
                check_field(path, field)
            if row[0].startswith("#"):
                raise DataError(f"{path.name}: '{row[0]}' cannot be written: the row would read as a comment")
            file.write(", ".join(row) + "\n")
