"""kapture's records of numbers: wifi, bluetooth, gnss, accelerometer, gyroscope and magnetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path

import numpy as np

from ...data.capture import Sensor
from ...data.records import Readings
from ..remarks import Remarks
from ..text_fields import refusal
from ..text_tables import Table, read_tables
from .records import DeviceRows, Order, check_devices, refuse_twice, rows_of_known

Column = np.ndarray | Sequence[str]
# The columns after timestamp and device, with their types. Units are those of the folder: kapture fixes none.
READING_COLUMNS: dict[str, dict[str, type]] = {
    "wifi": {
        "BSSID": str, "frequency": int, "RSSI": float, "SSID": str, "scan_time_start": int, "scan_time_end": int,
    },
    "bluetooth": {"address": str, "RSSI": float, "name": str},
    "gnss": {"x": float, "y": float, "z": float, "utc": int, "dop": float},
    "accelerometer": {"x_accel": float, "y_accel": float, "z_accel": float},
    "gyroscope": {"x_speed": float, "y_speed": float, "z_speed": float},
    "magnetic": {"x_strength": float, "y_strength": float, "z_strength": float},
}  # fmt: skip
# One scan sees many transmitters: there this column tells the rows of one time apart, and that one is free text.
_TRANSMITTER = {"wifi": "BSSID", "bluetooth": "address"}
_FREE_TEXT = {"wifi": "SSID", "bluetooth": "name"}


def header_of(kind: str) -> tuple[str, ...]:
    """All columns of the file of a kind."""
    return ("timestamp", "device_id", *READING_COLUMNS[kind])


def read_readings(path: Path, kind: str, sensors: Mapping[str, Sensor], remarks: Remarks) -> Readings:
    """All rows, sorted by (timestamp, device id); repeated rows and devices of another kind are refused.

    Rows of devices that sensors.txt lacks are left out, with a remark. A comma inside the name of a network or device
    is understood, though kapture itself cannot read it.
    """
    gathered, parts = DeviceRows(), list[list[Column]]()
    columns = header_of(kind)
    free = columns.index(_FREE_TEXT[kind]) if kind in _FREE_TEXT else None
    for table in read_tables(path, columns, remarks, free_text=free):
        rows = rows_of_known(table, sensors, remarks)
        check_devices(table, sensors, kind)
        gathered.add(table, rows)
        parts.append([_column(table, i, of, rows) for i, of in enumerate(READING_COLUMNS[kind].values(), start=2)])
    timestamps, devices, ids, order, lines = gathered.sorted()
    kinds = READING_COLUMNS[kind].items()
    values = {name: _joined(parts, place, of, order) for place, (name, of) in enumerate(kinds)}
    if kind in _TRANSMITTER:
        _refuse_seen_twice(path, timestamps, devices, values[_TRANSMITTER[kind]], lines)
    else:
        refuse_twice(path, timestamps, devices, ids, lines)
    return Readings(timestamps, devices, ids, values)


def _column(table: Table, index: int, of: type, rows: np.ndarray) -> Column:
    if of is str:
        return list(compress(table.text(index), rows))
    values = table.integers(index) if of is int else table.numbers(index, index + 1)[:, 0]
    kept: np.ndarray = values[rows]
    return kept


def _joined(parts: list[list[Column]], place: int, of: type, order: Order) -> Column:
    if of is str:
        texts = [text for part in parts for text in part[place]]
        return texts if isinstance(order, slice) else [texts[row] for row in order.tolist()]
    empty: np.ndarray = np.zeros(0, np.int64 if of is int else np.float64)
    joined: np.ndarray = np.concatenate([empty, *(np.asarray(part[place]) for part in parts)])[order]
    return joined


def _refuse_seen_twice(
    path: Path, timestamps: np.ndarray, devices: np.ndarray, transmitters: Column, lines: np.ndarray
) -> None:
    seen: dict[tuple[int, int, str], int] = {}
    rows = zip(timestamps.tolist(), devices.tolist(), transmitters, lines.tolist(), strict=True)
    for time, device, transmitter, line in rows:
        before = seen.setdefault((time, device, transmitter), line)
        if before != line:
            raise refusal(path, line, f"timestamp {time} sees '{transmitter}' twice, also in line {before}")


def reading_rows(readings: Readings) -> Iterator[list[str]]:
    """The rows of a file, as text."""
    columns = [c if isinstance(c, list | tuple) else np.asarray(c).tolist() for c in readings.columns.values()]
    texts = [column if column and isinstance(column[0], str) else list(map(repr, column)) for column in columns]
    for row, (time, device) in enumerate(zip(readings.timestamps.tolist(), readings.devices.tolist(), strict=True)):
        yield [str(time), readings.device_ids[device], *(column[row] for column in texts)]
