"""What importers of published benchmarks share: text of numbers, and writing `mapping/`, `query/` and the truth."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from vloc.array_types import Float64
from vloc.data.capture import Capture, ImageFiles, Sensor
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.access import write
from vloc.formats.base import Transfer
from vloc.formats.camera_text import parse_camera
from vloc.formats.results import posed_images, write_poses
from vloc.formats.text_fields import parse_float, refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

Shot = tuple[int, str, str, Rigid | None]
"""when, by which camera, under which name, and its `cam_from_world`"""
LOG = logging.getLogger(__name__)
# How far the rotation in a file may be from orthonormal: they are written with about seven digits.
ROTATION_TOLERANCE = 1e-3


def write_scene(root: Path, mapping: Capture, query: Capture, transfer: Transfer, pixel_center: float = 0.5) -> None:
    """A place of one set of queries, `query`."""
    write_place(root, mapping, {"query": query}, transfer, pixel_center)


def write_place(
    root: Path, mapping: Capture, queries: Mapping[str, Capture], transfer: Transfer, pixel_center: float = 0.5
) -> None:
    """`root/mapping` with poses, `root/NAME` of queries without, and `root/NAME_truth.txt` of those that have poses.

    A line of the truth is `name qw qx qy qz tx ty tz`. What was left out is logged. DataError where one of them is
    there already.
    """
    for name in queries:
        if (truth := truth_of(root / name)).exists():
            raise DataError(f"{truth}: exists already; remove it or write elsewhere")
    root.mkdir(parents=True, exist_ok=True)
    options = {"transfer": transfer, "pixel_center": pixel_center}
    lost = write(mapping, f"kapture:{root / 'mapping'}", **options)
    for name, query in queries.items():
        lost += write(dataclasses.replace(query, trajectory=Trajectory.empty()), f"kapture:{root / name}", **options)
        if poses := posed_images(query):
            write_poses(truth_of(root / name), poses)
    read = (mapping, *queries.values())
    for line in (*(x for one in read for x in one.notes), *(x for one in read for x in one.left_out), *lost):
        LOG.warning("%s: %s", root.name, line)


def truth_of(queries: Path) -> Path:
    """The file of the true poses of queries in a kapture folder; there where they are public."""
    return queries.with_name(f"{queries.name}_truth.txt")


def listed(rows: Sequence[tuple[str, Camera, Rigid | None]], files: ImageFiles) -> Capture:
    """Images with cameras and `cam_from_world`; places in the list are timestamps, equal cameras share a sensor."""
    ids = {camera: f"camera{row:04d}" for row, camera in enumerate(dict.fromkeys(camera for _, camera, _ in rows))}
    taken = [(time, ids[camera], name) for time, (name, camera, _) in enumerate(rows)]
    poses = [(time, ids[camera], pose) for time, (_, camera, pose) in enumerate(rows) if pose is not None]
    sensors = {sensor: Sensor("camera", camera=camera) for camera, sensor in ids.items()}
    return Capture(sensors, Records.from_rows(taken), Trajectory.from_rows(poses), files=files)


def recorded(
    cameras: Mapping[str, Camera], rows: Sequence[Shot], files: ImageFiles, rigs: Sequence[RigMember] = ()
) -> Capture:
    """Images of some cameras at the times of their names, with `cam_from_world` where it is known."""
    taken = [(time, camera, name) for time, camera, name, _ in rows]
    poses = [(time, camera, pose) for time, camera, _, pose in rows if pose is not None]
    sensors = {name: Sensor("camera", name, camera) for name, camera in cameras.items()}
    trajectory = Trajectory.from_rows(poses) if poses else Trajectory.empty()
    return Capture(sensors, Records.from_rows(taken), trajectory, tuple(rigs), files=files)


def read_cameras(path: Path) -> dict[str, Camera]:
    """Lines `name MODEL w h params...`, by name; DataError with file and line for anything unclear."""
    found: dict[str, Camera] = {}
    for line, text in data_lines(required(path)):
        name, *fields = text.split()
        try:
            camera = parse_camera(fields)
        except ValueError as error:
            raise refusal(path, line, str(error), "name MODEL w h params...", text) from None
        if name in found:
            raise refusal(path, line, f"'{name}' is here twice")
        found[name] = camera
    return found


def rows_of_numbers(path: Path, count: int | None = None, *, skip: int = 0) -> Iterator[tuple[int, list[float]]]:
    """(line, numbers) of every row but the first `skip`, separated by blanks or commas; DataError with the line."""
    required(path)
    for index, (line, text) in enumerate(data_lines(path)):
        if index >= skip:
            yield line, numbers_in(path, line, text.replace(",", " ").split(), count)


def numbers_in(path: Path, line: int, fields: list[str], count: int | None = None) -> list[float]:
    """The fields as finite numbers; DataError where one is none, or there are not `count`."""
    if count is not None and len(fields) != count:
        raise refusal(path, line, f"{len(fields)} numbers", str(count), " ".join(fields))
    try:
        # Microsoft writes exponents of three digits, which are as good as two.
        return [parse_float(field) for field in fields]
    except ValueError as error:
        raise refusal(path, line, str(error), found=" ".join(fields)) from None


def rigid_of(path: Path, matrix: Float64[np.ndarray, "4 4"]) -> Rigid:
    """A rigid transform from a 4 x 4 matrix, its rotation made orthonormal; DataError where it is none."""
    left, values, right = np.linalg.svd(matrix[:3, :3])
    rotation = left @ right
    if np.abs(values - 1).max() > ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
        raise DataError(f"{path}: its matrix is no rigid transform (singular values {np.round(values, 4).tolist()})")
    if not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise DataError(f"{path}: last row of the matrix is {matrix[3].tolist()}, expected 0 0 0 1")
    return Rigid(rotation, np.array(matrix[:3, 3], np.float64))


def required(path: Path, what: str = "file of the benchmark") -> Path:
    """The path; DataError where there is nothing."""
    if not path.exists():
        raise DataError(f"{path}: no such {what}")
    return path
