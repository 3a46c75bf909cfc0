"""kapture's records of files (camera, depth, lidar) and trajectories, in columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...array_types import Bool
from ...data.capture import Sensor
from ...data.records import Records, Trajectory
from ...errors import DataError
from ..images import first_unsafe
from ..remarks import Remarks
from ..text_fields import refusal
from ..text_tables import Table, read_tables
from .sensors import read_poses

TRAJECTORY_COLUMNS = ("timestamp", "device_id", "qw", "qx", "qy", "qz", "tx", "ty", "tz")
FILE_COLUMNS = {
    "camera": ("timestamp", "device_id", "image_path"),
    "depth": ("timestamp", "device_id", "depth_map_path"),
    "lidar": ("timestamp", "device_id", "point_cloud_path"),
}


Order = np.ndarray | slice
"""Which row of the file each sorted row is; all of them, where the file was sorted."""


@dataclass
class DeviceRows:
    """Timestamps and devices of rows, gathered table by table and sorted at the end."""

    ids: dict[str, int] = field(default_factory=dict)
    timestamps: list[np.ndarray] = field(default_factory=list)
    devices: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)

    def add(self, table: Table, rows: np.ndarray | None = None) -> None:
        """The first two columns of a table, or of some of its rows."""
        names, of_row = table.devices
        codes = np.array([self.ids.setdefault(name, len(self.ids)) for name in names], np.int32)
        chosen = slice(None) if rows is None else rows
        self.timestamps.append(table.integers(0)[chosen])
        self.devices.append(codes[of_row][chosen])
        self.lines.append(table.lines[chosen])

    def sorted(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], Order, np.ndarray]:
        """(timestamps, devices, device ids, order, lines), rows stably sorted by (timestamp, device id)."""
        if not self.timestamps:
            return np.zeros(0, np.int64), np.zeros(0, np.int32), (), slice(None), np.zeros(0, np.int64)
        timestamps, devices, lines = map(np.concatenate, (self.timestamps, self.devices, self.lines))
        counts = np.bincount(devices, minlength=len(self.ids))
        used = sorted(name for name, index in self.ids.items() if counts[index])
        place = np.zeros(len(self.ids), np.int32)
        place[[self.ids[name] for name in used]] = np.arange(len(used))
        devices = place[devices]
        before, after = timestamps[:-1], timestamps[1:]
        if ((before < after) | ((before == after) & (devices[:-1] <= devices[1:]))).all():
            return timestamps, devices, tuple(used), slice(None), lines
        order = np.lexsort((devices, timestamps))
        return timestamps[order], devices[order], tuple(used), order, lines[order]


def read_file_records(path: Path, kind: str, sensors: Mapping[str, Sensor], remarks: Remarks) -> Records:
    """Rows (timestamp, device, path). Refused: devices of another kind, repeated rows, repeated or unsafe paths."""
    gathered, names = DeviceRows(), list[str]()
    for table in read_tables(path, FILE_COLUMNS[kind], remarks):
        gathered.add(table)
        check_devices(table, sensors, kind)
        if not (known := rows_of_known(table, sensors)).all():
            row = int(np.argmin(known))
            raise table.refusal(row, f"device '{table.field(row, 1)}' is not in sensors.txt")
        paths = table.text(2)
        if unsafe := first_unsafe(paths):
            raise table.refusal(unsafe[0], unsafe[1], found=paths[unsafe[0]])
        names.extend(paths)
    timestamps, devices, ids, order, lines = gathered.sorted()
    refuse_twice(path, timestamps, devices, ids, lines)
    if not isinstance(order, slice):
        names = [names[i] for i in order.tolist()]
    if len(set(names)) != len(names):
        raise _name_twice(path, names, lines)
    return Records(timestamps, devices, ids, names)


def check_devices(table: Table, sensors: Mapping[str, Sensor], kind: str) -> None:
    """DataError for a row whose device is a sensor of another kind."""
    names, of_row = table.devices
    for index, device in enumerate(names):
        if device in sensors and sensors[device].kind != kind:
            what = f"device '{device}' is of type {sensors[device].kind}"
            raise table.refusal(int(np.argmax(of_row == index)), what, f"a {kind} of sensors.txt")


def rows_of_known(table: Table, known: Collection[str], remarks: Remarks | None = None) -> Bool[np.ndarray, "rows"]:
    """Which rows are of known devices; the others are remarked as left out."""
    names, of_row = table.devices
    rows: np.ndarray = np.array([name in known for name in names])[of_row]
    if remarks is not None and not rows.all():
        remarks.lose(
            table.path, "rows left out: no such device", int((~rows).sum()), table.field(int(np.argmin(rows)), 1)
        )
    return rows


def read_trajectory(path: Path, known: Collection[str], remarks: Remarks) -> Trajectory:
    """Poses `device_from_world`; those of devices that are neither sensors nor rigs are left out, with a remark."""
    gathered, quats, translations = DeviceRows(), list[np.ndarray](), list[np.ndarray]()
    for table in read_tables(path, TRAJECTORY_COLUMNS, remarks):
        rows = rows_of_known(table, known, remarks)
        gathered.add(table, rows)
        quat, translation = read_poses(table, 2, remarks)
        quats.append(quat[rows])
        translations.append(translation[rows])
    timestamps, devices, ids, order, lines = gathered.sorted()
    refuse_twice(path, timestamps, devices, ids, lines)
    if not len(timestamps):
        return Trajectory.empty()
    return Trajectory(timestamps, devices, ids, np.concatenate(quats)[order], np.concatenate(translations)[order])


def refuse_twice(
    path: Path, timestamps: np.ndarray, devices: np.ndarray, ids: tuple[str, ...], lines: np.ndarray
) -> None:
    """DataError where two rows are of one device at one time."""
    same = np.flatnonzero((timestamps[:-1] == timestamps[1:]) & (devices[:-1] == devices[1:]))
    if len(same):
        row = int(same[0])
        first, second = sorted(lines[row : row + 2].tolist())
        what = f"timestamp {timestamps[row]} of '{ids[devices[row]]}' is here twice, also in line {first}"
        raise refusal(path, second, what)


def _name_twice(path: Path, names: list[str], lines: np.ndarray) -> DataError:
    rows = dict[str, int]()
    for row in np.argsort(lines, kind="stable").tolist():
        if names[row] in rows:
            what = f"'{names[row]}' is here twice, also in line {lines[rows[names[row]]]}"
            return refusal(path, int(lines[row]), what, hint="a file is known by its path")
        rows[names[row]] = row
    return refusal(path, None, "a path is here twice")
