"""Writing the sensors part of a kapture 1.1 folder: what kapture's own reader would get wrong is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path

import numpy as np

from ...data.capture import Capture, ImageFiles, Sensor
from ...data.records import Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ..base import FileLoss, Transfer, WriteOptions
from ..camera_text import format_number
from ..images import FolderImages, first_unsafe
from .readings import header_of, reading_rows
from .records import FILE_COLUMNS, TRAJECTORY_COLUMNS
from .sensors import KINDS, RIG_COLUMNS, SENSOR_COLUMNS, WITH_CAMERA

VERSION_LINE = "# kapture format: 1.1"


def write_sensors_part(capture: Capture, root: Path, options: WriteOptions) -> list[str]:
    """sensors.txt, rigs.txt, trajectories.txt and the records of files, with the files; returns what was lost."""
    folder = root / "sensors"
    folder.mkdir(parents=True)
    shift = options.pixel_center - 0.5
    write_table(folder / "sensors.txt", SENSOR_COLUMNS, _sensor_rows(capture.sensors, shift))
    if capture.rigs:
        write_rigs(folder / "rigs.txt", capture.rigs)
    if len(capture.trajectory):
        write_table(folder / "trajectories.txt", TRAJECTORY_COLUMNS, _trajectory_rows(capture.trajectory))
    records = {"camera": capture.images, **capture.others}
    for kind, rows in records.items():
        if len(rows):
            write_table(folder / f"records_{kind}.txt", FILE_COLUMNS[kind], _record_rows(rows, folder))
    for kind, readings in capture.readings.items():
        if len(readings):
            write_table(folder / f"records_{kind}.txt", header_of(kind), reading_rows(readings))
    names = [name for rows in records.values() for name in rows.names]
    return transfer_files(capture.files, names, folder / "records_data", options.transfer)


def write_rigs(path: Path, members: Iterable[RigMember]) -> None:
    """A `rigs.txt`."""
    write_table(path, RIG_COLUMNS, map(_rig_row, members))


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A comma-separated file with kapture's two header lines; fields that would not read back are refused."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{VERSION_LINE}\n# {', '.join(columns)}\n")
        file.writelines(_line(path, row) for row in rows)


def _line(path: Path, row: Sequence[str]) -> str:
    line = ", ".join(row)
    if line.count(",") == len(row) - 1 and line.isprintable() and line[0] != "#" and [*map(str.strip, row)] == [*row]:
        return line + "\n"
    for field in row:
        check_field(path, field)
    if line.startswith("#"):
        raise DataError(f"{path.name}: '{row[0]}' cannot be written: the row would read as a comment")
    return line + "\n"


def check_field(path: Path, text: str) -> None:
    """DataError for text that kapture's grammar, which has no quotes, cannot hold."""
    if "," in text or text != text.strip() or any(ord(c) < 32 and c != "\t" for c in text):
        raise DataError(
            f"{path.name}: {text!r} cannot be written: kapture has no comma, line end or outer blanks in a field"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{path.name}: {text!r} cannot be written as UTF-8") from None


def _sensor_rows(sensors: Mapping[str, Sensor], shift: float) -> Iterator[list[str]]:
    for sensor_id, sensor in sensors.items():
        if sensor.kind not in KINDS:
            raise DataError(f"sensor '{sensor_id}': kapture has no type '{sensor.kind}', only {', '.join(KINDS)}")
        yield [sensor_id, sensor.name, sensor.kind, *sensor_params(sensor, shift)]


def sensor_params(sensor: Sensor, shift: float) -> list[str]:
    """The parameters of a sensor as text; intrinsics moved by `shift` px."""
    if sensor.kind not in WITH_CAMERA or sensor.camera is None:
        return list(sensor.params)
    camera = sensor.camera.shifted(shift)
    return [camera.model, str(camera.width), str(camera.height), *map(format_number, camera.params)]


def _rig_row(member: RigMember) -> list[str]:
    pose = member.sensor_from_rig
    numbers = [""] * 7 if pose is None else [repr(x) for x in [*pose.quat_wxyz.tolist(), *pose.translation.tolist()]]
    return [member.rig_id, member.sensor_id, *numbers]


def _trajectory_rows(trajectory: Trajectory) -> Iterator[list[str]]:
    ids, numbers = trajectory.device_ids, np.hstack([trajectory.quat_wxyz, trajectory.translation])
    for time, device, row in zip(trajectory.timestamps.tolist(), trajectory.devices.tolist(), numbers, strict=True):
        yield [str(time), ids[device], *("" if isnan(x) else repr(x) for x in row.tolist())]


def _record_rows(records: Records, folder: Path) -> Iterator[list[str]]:
    if unsafe := first_unsafe(records.names):
        raise DataError(f"image '{records.names[unsafe[0]]!r}' cannot be written to {folder}: {unsafe[1]}")
    ids = records.device_ids
    for time, device, name in zip(records.timestamps.tolist(), records.devices.tolist(), records.names, strict=True):
        yield [str(time), ids[device], name]


def transfer_files(files: ImageFiles | None, names: Sequence[str], target: Path, transfer: Transfer) -> list[str]:
    """Copy or link the files of records; returns what is missing, counted."""
    if not names or transfer == "skip":
        return [f"{len(names)} image and other record files not copied, as asked"] if names else []
    if files is None:
        return [f"{len(names)} image and other record files: the source has none"]
    if transfer == "link":
        if not isinstance(files, FolderImages):
            raise DataError(f"{target}: cannot link images that are not in a folder; copy them")
        target.symlink_to(files.root.resolve(), target_is_directory=True)
        return []
    lost = lost_files(files, names)
    lacking = {name for own in lost.values() for name in own}
    for name in names:
        if name not in lacking:
            _copy(files, name, target / name)
    return [FileLoss(f"{len(own)} of {len(names)} record files: {why} (first: {own[0]})") for why, own in lost.items()]


def lost_files(files: ImageFiles, names: Sequence[str]) -> dict[str, list[str]]:
    """The files that cannot be copied, by the reason why."""
    lost: dict[str, list[str]] = {}
    for name in names:
        if why := _lack(files, name):
            lost.setdefault(why, []).append(name)
    return lost


def _lack(files: ImageFiles, name: str) -> str:
    if isinstance(files, FolderImages):
        return files.lack(name)
    return "missing in the source" if files.stamp(name) == "missing" else ""


def _copy(files: ImageFiles, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(files, FolderImages):
        shutil.copyfile(files.path(name), target)
    else:
        target.write_bytes(files.read(name))
