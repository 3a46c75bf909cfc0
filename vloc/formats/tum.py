"""TUM trajectories, lines `timestamp tx ty tz qx qy qz qw`. Keeps whole poses and times; loses all else.

Poses are device to world; a time is seconds in decimals, exactly as many nanoseconds here (more than nine decimals
are rounded, with a note). A file is one device; a folder of `DEVICE.txt` files is several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np

from ..data.capture import Capture, Sensor
from ..data.records import Records, Trajectory
from ..errors import DataError
from ..geometry.rigid import Rigid
from .base import Format, ReadOptions, WriteOptions, register
from .kapture.sensors import NOTED_NORM_ERROR, ZERO_NORM, quaternion_norms
from .remarks import Remarks
from .scene_export import counted, other_records
from .text_fields import parse_float, refusal
from .text_lines import data_lines

LINE = "timestamp tx ty tz qx qy qz qw"
NANOSECONDS = 9
_SECONDS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INT64 = range(-(2**63), 2**63)


def recognises(path: Path) -> bool:
    """A text file whose first line of data is eight numbers."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(65536).decode(errors="replace")
    lines = (line.split() for line in start.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    first = next(lines, [])
    return len(first) == 8 and all(_SECONDS.fullmatch(field) for field in first)


def read(path: Path, options: ReadOptions) -> Capture:
    """A trajectory of a sensor (type odometry) named after each file; there are no images."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: no .txt files, expected trajectories of lines '{LINE}'")
    remarks = Remarks()
    rows = [(time, file.stem, pose) for file in files for time, pose in _rows(file, remarks)]
    sensors = {file.stem: Sensor("odometry") for file in files}
    none = Records.from_rows([])
    return Capture(
        sensors,
        none,
        Trajectory.from_rows(rows),
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _rows(path: Path, remarks: Remarks) -> list[tuple[int, Rigid]]:
    """Times, ns, and `device_from_world`."""
    lines: dict[int, int] = {}
    numbers = []
    for line, text in data_lines(path):
        fields = text.split()
        if len(fields) != 8:
            raise refusal(path, line, f"{len(fields)} fields", f"8: {LINE}", text)
        try:
            (time, is_exact), values = nanoseconds(fields[0]), [parse_float(field) for field in fields[1:]]
        except ValueError as error:
            raise refusal(path, line, str(error), LINE, text) from None
        if time in lines:
            raise refusal(path, line, f"time {fields[0]} is here twice, also in line {lines[time]}")
        if not is_exact:
            remarks.add(path, "times finer than nanoseconds, rounded", first=f"line {line}")
        lines[time] = line
        numbers.append(values)
        _check_norm(path, line, values[3:], remarks)
    table = np.array(numbers, np.float64).reshape(-1, 7)
    poses = Rigid.from_quat_wxyz(table[:, [6, 3, 4, 5]], table[:, :3]).inverse()
    return [(time, poses[row]) for row, time in enumerate(lines)]


def _check_norm(path: Path, line: int, quat: list[float], remarks: Remarks) -> None:
    norm = float(quaternion_norms(np.array([quat]))[0])
    if not ZERO_NORM <= norm < np.inf:
        raise refusal(path, line, f"quaternion of norm {norm:.3g}", "a rotation, norm 1")
    if abs(norm - 1) > NOTED_NORM_ERROR:
        remarks.add(path, "quaternions normalised", first=f"line {line}, norm {norm:.3g}")


def nanoseconds(text: str) -> tuple[int, bool]:
    """Decimal seconds as the nearest whole nanoseconds, and whether that is exact; ValueError beyond 64 bits."""
    if not _SECONDS.fullmatch(text) or len(text) > 40:
        raise ValueError(f"'{text}' is no time in seconds")
    exact = Decimal(text).scaleb(NANOSECONDS)
    rounded = int(exact.to_integral_value())
    if rounded not in _INT64:
        raise ValueError(f"time {text} is beyond 64 bits of nanoseconds")
    return rounded, rounded == exact


def seconds(time: int) -> str:
    """Nanoseconds as decimal seconds, exactly."""
    whole, rest = divmod(abs(time), 10**NANOSECONDS)
    return f"{'-' if time < 0 else ''}{whole}.{rest:0{NANOSECONDS}d}"


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """One file for one device; for several a folder with a file each. Rigs and cameras are devices like any other."""
    track = capture.trajectory
    full = np.isfinite(track.quat_wxyz).all(1) & np.isfinite(track.translation).all(1)
    used = [number for number in range(len(track.device_ids)) if (full & (track.devices == number)).any()]
    if not used:
        raise DataError("no whole poses, and a TUM trajectory holds nothing else")
    if len(used) > 1:
        path.mkdir()
    for number in used:
        device = track.device_ids[number]
        if len(used) > 1 and ("/" in device or "\0" in device or device in ("", ".", "..")):
            raise DataError(f"device '{device}' cannot be the name of a file")
        _write_file(path / f"{device}.txt" if len(used) > 1 else path, track, full & (track.devices == number))
    work, one = capture.reconstruction, len(used) == 1
    losses = {
        "images": len(capture.images),
        "sensors and their intrinsics": len(capture.sensors),
        "name of a device": int(one),
        "rig members: the poses of rigs are there, those of their members are not": len(capture.rigs),
        "half poses": int((~full).sum()),
        **other_records(capture),
        "points": len(work.points or ()) if work else 0,
        "types of features and matches": sum(map(len, _by_type(capture))),
    }
    return counted(losses)


def _by_type(capture: Capture) -> list[Mapping[str, object]]:
    work = capture.reconstruction
    return [work.keypoints, work.descriptors, work.global_features, work.matches] if work else []


def _write_file(path: Path, track: Trajectory, own: np.ndarray) -> None:
    world_from_device = Rigid.from_quat_wxyz(track.quat_wxyz[own], track.translation[own]).inverse()
    numbers = np.hstack([world_from_device.translation, world_from_device.quat_wxyz[:, [1, 2, 3, 0]]]).tolist()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"# {LINE}\n")
        for time, row in zip(track.timestamps[own].tolist(), numbers, strict=True):
            file.write(f"{seconds(time)} {' '.join(map(repr, row))}\n")


register(
    Format(
        "tum", "TUM trajectory (a file), or several (a folder); times and poses, nothing else", recognises, read, write
    )
)
