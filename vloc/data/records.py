"""What devices recorded and where they were: one row an event, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int32, Int64
from ..geometry.rigid import Rigid


@dataclass(frozen=True, eq=False)
class Records:
    """One row a recording: when, by which device, under which name. Rows are sorted by (timestamp, device id)."""

    timestamps: Int64[np.ndarray, "i"]
    devices: Int32[np.ndarray, "i"]
    device_ids: tuple[str, ...]
    names: Sequence[str]

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, str, str]]) -> Records:
        """From (timestamp, device id, name) rows in any order."""
        rows = sorted(rows)
        ids = tuple(sorted({device for _, device, _ in rows}))
        index = {device: i for i, device in enumerate(ids)}
        timestamps = np.array([row[0] for row in rows], np.int64)
        return cls(timestamps, np.array([index[row[1]] for row in rows], np.int32), ids, [row[2] for row in rows])

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Readings:
    """One row a reading of a sensor that records numbers, not files (wifi, gnss, ...), in named columns.

    Rows are sorted by (timestamp, device id), stably: one scan of wifi or bluetooth is several rows.
    """

    timestamps: Int64[np.ndarray, "i"]
    devices: Int32[np.ndarray, "i"]
    device_ids: tuple[str, ...]
    columns: Mapping[str, np.ndarray | Sequence[str]]

    def __len__(self) -> int:
        return len(self.timestamps)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses `device_from_world` of sensors and rigs, sorted by (timestamp, device id).

    A pose may lack its rotation or its translation: the missing numbers are NaN.
    """

    timestamps: Int64[np.ndarray, "i"]
    devices: Int32[np.ndarray, "i"]
    device_ids: tuple[str, ...]
    quat_wxyz: Float64[np.ndarray, "i 4"]
    translation: Float64[np.ndarray, "i 3"]

    @classmethod
    def empty(cls) -> Trajectory:
        """No poses."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32), (), np.zeros((0, 4)), np.zeros((0, 3)))

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, str, Rigid]]) -> Trajectory:
        """From (timestamp, device id, device_from_world) rows in any order."""
        rows = sorted(rows, key=lambda row: row[:2])
        ids = tuple(sorted({device for _, device, _ in rows}))
        index = {device: i for i, device in enumerate(ids)}
        poses = Rigid.stack([row[2] for row in rows])
        devices = np.array([index[row[1]] for row in rows], np.int32)
        return cls(np.array([row[0] for row in rows], np.int64), devices, ids, poses.quat_wxyz, poses.translation)

    def __len__(self) -> int:
        return len(self.timestamps)
