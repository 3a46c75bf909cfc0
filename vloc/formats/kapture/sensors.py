"""kapture's sensors.txt and rigs.txt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...data.capture import Sensor
from ...data.rigs import RigMember, rig_circle
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..camera_text import parse_camera
from ..remarks import Remarks
from ..text_fields import first_line, refusal
from ..text_tables import Table, read_lines, read_tables

KINDS = (
    "camera", "depth", "lidar", "odometry", "wifi", "bluetooth", "gnss", "accelerometer", "gyroscope", "magnetic",
)  # fmt: skip
WITH_CAMERA = ("camera", "depth")
VERSIONS = ("1.0", "1.1")
SENSOR_COLUMNS = ("sensor_id", "name", "sensor_type", "[sensor_params]+")
RIG_COLUMNS = ("rig_id", "sensor_id", "qw", "qx", "qy", "qz", "tx", "ty", "tz")
_VERSION = re.compile(r"#\s*kapture format:\s*(\S+)")
# Beyond this share off unit norm a quaternion is worth a remark; below, it was merely written with few digits.
NOTED_NORM_ERROR = 0.01
# A norm this close to 1 is 1 in double precision: dividing by it would only move the last digit back and forth.
ROUNDING = 1e-15
ZERO_NORM = 1e-9


def read_version(path: Path) -> str:
    """The version that the first line of sensors.txt states; DataError for none, or one vloc does not know."""
    line = first_line(path)
    match = _VERSION.match(line)
    if not match:
        raise refusal(path, 1, "no version", "'# kapture format: 1.1'", line, hint="is this a kapture folder?")
    if match[1] not in VERSIONS:
        raise refusal(path, 1, f"kapture format {match[1]} is not known", f"one of {', '.join(VERSIONS)}")
    return match[1]


def check_version(path: Path) -> None:
    """DataError where another file than sensors.txt states an unknown version; it need not state any."""
    match = _VERSION.match(first_line(path))
    if match and match[1] not in VERSIONS:
        raise refusal(path, 1, f"kapture format {match[1]} is not known", f"one of {', '.join(VERSIONS)}")


def read_sensors(path: Path, pixel_center: float, remarks: Remarks) -> dict[str, Sensor]:
    """Every sensor by its id, intrinsics moved to vloc's pixel convention."""
    sensors: dict[str, Sensor] = {}
    for line, fields in read_lines(path, SENSOR_COLUMNS, remarks):
        if len(fields) < 3:
            expected = "sensor_id, name, sensor_type and parameters"
            raise refusal(path, line, f"{len(fields)} fields", expected, ", ".join(fields))
        if not fields[0] or fields[0] in sensors:
            raise refusal(path, line, "sensor id is empty" if not fields[0] else f"sensor '{fields[0]}' is here twice")
        sensors[fields[0]] = _sensor(path, line, fields, pixel_center)
    return sensors


def _sensor(path: Path, line: int, fields: list[str], pixel_center: float) -> Sensor:
    _, name, kind, *params = fields
    if kind not in KINDS:
        raise refusal(path, line, "sensor type is not known", f"one of {', '.join(KINDS)}", kind)
    if kind not in WITH_CAMERA:
        return Sensor(kind, name, None, tuple(params))
    if not params:
        raise refusal(path, line, f"{kind} without intrinsics", "MODEL, width, height, parameters")
    try:
        camera = parse_camera(params)
    except ValueError as error:
        raise refusal(path, line, str(error)) from None
    # kapture does not say where pixel centres are; vloc's first one is at (0.5, 0.5).
    return Sensor(kind, name, camera.shifted(0.5 - pixel_center))


def read_rigs(path: Path, sensors: Mapping[str, Sensor], remarks: Remarks) -> tuple[RigMember, ...]:
    """The members of all rigs. Members that are neither sensors nor rigs are left out, with a note."""
    tables = list(read_tables(path, RIG_COLUMNS, remarks))
    rigs = {rig for table in tables for rig in table.text(0)}
    members: dict[tuple[str, str], RigMember] = {}
    absent: list[str] = []
    lines: dict[tuple[str, str], tuple[Table, int]] = {}
    for table in tables:
        quats, translations = read_poses(table, 2, remarks)
        for row, (rig, sensor) in enumerate(zip(table.text(0), table.text(1), strict=True)):
            if rig in sensors:
                raise table.refusal(row, f"rig '{rig}' has the id of a sensor")
            if not rig or (rig, sensor) in lines:
                raise table.refusal(row, f"'{sensor}' is in rig '{rig}' twice" if rig else "rig id is empty")
            lines[rig, sensor] = table, row
            if sensor not in sensors and sensor not in rigs:
                absent.append(sensor)
            else:
                members[rig, sensor] = RigMember(rig, sensor, _known_pose(table, row, quats, translations))
    if absent:
        remarks.lose(path, "rows left out: sensors.txt has no such sensor", len(absent), absent[0])
    if circle := rig_circle(members):
        table, row = lines[circle[1], circle[0]]
        raise table.refusal(row, f"rigs contain each other in a circle through '{circle[1]}' and '{circle[0]}'")
    return tuple(members.values())


def _known_pose(table: Table, row: int, quats: np.ndarray, translations: np.ndarray) -> Rigid | None:
    """`sensor_from_rig`, or None where all of it is empty."""
    missing = np.isnan(quats[row, 0]), np.isnan(translations[row, 0])
    if all(missing):
        return None
    if any(missing):
        raise table.refusal(row, "half a pose in a rig", "rotation and translation, or neither")
    return Rigid.from_quat_wxyz(quats[row], translations[row])


def read_poses(table: Table, first: int, remarks: Remarks) -> tuple[np.ndarray, np.ndarray]:
    """Unit quaternions (w, x, y, z) and translations from seven columns; NaN where a group is empty.

    Zero quaternions and groups with a part missing are refused; norms more than 1 % off 1 get a counted note.
    """
    values = table.numbers(first, first + 7, may_be_empty=True)
    quats, translations = values[:, :4], values[:, 4:]
    for name, group in (("rotation", quats), ("translation", translations)):
        empty = np.isnan(group)
        partial = np.flatnonzero(empty.any(1) & ~empty.all(1))
        if len(partial):
            raise table.refusal(int(partial[0]), f"part of a {name} is empty", "all of its numbers, or none")
    norms = quaternion_norms(quats)
    bad = np.flatnonzero((norms < ZERO_NORM) | (norms == np.inf))
    if len(bad):
        raise table.refusal(int(bad[0]), f"quaternion of norm {norms[bad[0]]:.3g}", "a rotation, norm 1")
    off = np.flatnonzero(np.abs(norms - 1) > NOTED_NORM_ERROR)
    if len(off):
        remark_norms(remarks, table.path, len(off), int(table.lines[off[0]]), norms[off[0]])
    return unit_quaternions(quats, norms), translations


def quaternion_norms(quats: np.ndarray) -> np.ndarray:
    """The norm of each row; infinite where it is beyond the range of numbers, NaN where it is missing."""
    with np.errstate(over="ignore"):
        norms: np.ndarray = np.linalg.norm(quats, axis=1)
    return norms


def unit_quaternions(quats: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Quaternions divided by their norms, except where that would change rounding only."""
    return np.where(np.abs(norms - 1)[:, None] > ROUNDING, quats / norms[:, None], quats)


def remark_norms(remarks: Remarks, path: Path, count: int, line: int, norm: float) -> None:
    """Remark that quaternions were normalised."""
    remarks.add(path, "quaternions normalised", count, f"line {line}, norm {norm:.3g}")


def required(path: Path) -> Path:
    """The path; DataError where there is no such file."""
    if not path.is_file():
        raise DataError(f"{path}: no such file, but a kapture folder needs it")
    return path
