"""Reading COLMAP binary models, little endian; every count is checked against the bytes that are there."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...geometry.camera import CAMERA_PARAMS, Camera
from ...geometry.rigid import Rigid
from ..remarks import Remarks
from ..text_fields import read_bytes
from .model import (
    MODEL_NAMES,
    SENSOR_TYPES,
    ColmapFrame,
    ColmapImages,
    ColmapModel,
    ColmapPoints,
    ColmapRig,
    checked_poses,
    images_table,
    pose_of,
)

KEYPOINT = np.dtype([("xy", "<f8", 2), ("point", "<i8")])
POINT = np.dtype([("id", "<i8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("length", "<u8")])
TRACK = np.dtype("<u4")
_MAX_NAME = 4096


@dataclass
class Cursor:
    """A place in the bytes of a file; whatever would pass the end is a DataError with the byte offset."""

    path: Path
    data: bytes
    offset: int = 0

    def take(self, form: str, what: str) -> tuple[Any, ...]:
        """The next values, by `struct` format."""
        start = self.skip(struct.calcsize(form), what)
        return struct.unpack_from(form, self.data, start)

    def skip(self, size: int, what: str) -> int:
        """Step over `size` bytes; gives where they began."""
        start = self.offset
        if start + size > len(self.data):
            raise self.error(f"the file ends inside {what} (it has {len(self.data)} bytes)")
        self.offset += size
        return start

    def count(self, size: int, what: str) -> int:
        """A number of things of at least `size` bytes each."""
        (number,) = self.take("<Q", f"the number of {what}")
        if number * size > len(self.data) - self.offset:
            left = len(self.data) - self.offset
            raise self.error(f"{number} {what} of at least {size} bytes, but {left} bytes are left in the file")
        return int(number)

    def name(self) -> str:
        """Text that ends with a zero byte."""
        end = self.data.find(b"\0", self.offset, self.offset + _MAX_NAME)
        if end < 0:
            raise self.error(f"an image name without end, or of more than {_MAX_NAME} bytes")
        raw = self.data[self.offset : end]
        self.offset = end + 1
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.error(f"the image name {raw!r} is not UTF-8") from None

    def end(self) -> None:
        """DataError where bytes are left."""
        if self.offset != len(self.data):
            raise self.error(f"{len(self.data) - self.offset} bytes after the last entry")

    def error(self, what: str) -> DataError:
        """The error that names file and byte."""
        return DataError(f"{self.path}: at byte {self.offset}: {what}; was the file cut or damaged?")


def read_binary(folder: Path, remarks: Remarks) -> ColmapModel:
    """A binary model; DataError with file and byte offset."""
    rigs = _rigs(_open(folder / "rigs.bin"), remarks) if (folder / "rigs.bin").exists() else ()
    frames = _frames(_open(folder / "frames.bin"), remarks) if (folder / "frames.bin").exists() else ()
    images = _images(_open(folder / "images.bin"), remarks)
    return ColmapModel(
        _cameras(_open(folder / "cameras.bin")), images, _points(_open(folder / "points3D.bin")), rigs, frames, folder
    )


def _open(path: Path) -> Cursor:
    return Cursor(path, read_bytes(path))


def _cameras(file: Cursor) -> dict[int, Camera]:
    cameras: dict[int, Camera] = {}
    for _ in range(file.count(24, "cameras")):
        number, model, width, height = file.take("<IiQQ", "a camera")
        if not 0 <= model < len(MODEL_NAMES):
            raise file.error(f"camera {number} has model number {model}, expected 0 to {len(MODEL_NAMES) - 1}")
        name = MODEL_NAMES[model]
        params = file.take(f"<{len(CAMERA_PARAMS[name])}d", "camera parameters")
        if number in cameras:
            raise file.error(f"camera {number} is there twice")
        try:
            cameras[number] = Camera(name, width, height, params)
        except ValueError as error:
            raise file.error(f"camera {number}: {error}") from None
    file.end()
    return cameras


def _images(file: Cursor, remarks: Remarks) -> ColmapImages:
    rows: list[tuple[int, list[float], int, str]] = []
    keypoints, point_ids = list[np.ndarray](), list[np.ndarray]()
    for _ in range(file.count(73, "images")):
        number, *pose, camera = file.take("<I7dI", "an image")
        rows.append((number, pose, camera, file.name()))
        count = file.count(KEYPOINT.itemsize, "keypoints")
        start = file.skip(count * KEYPOINT.itemsize, "keypoints")
        values = np.frombuffer(file.data, KEYPOINT, count, start)
        keypoints.append(values["xy"])
        point_ids.append(values["point"])
    file.end()
    return images_table(file.path, rows, keypoints, point_ids, remarks)


def _points(file: Cursor) -> ColmapPoints:
    """Only the track lengths are walked through one by one; all else is gathered at once."""
    starts = []
    for _ in range(file.count(POINT.itemsize, "points")):
        start = file.skip(POINT.itemsize, "a point")
        file.offset -= 8
        file.skip(2 * TRACK.itemsize * file.count(2 * TRACK.itemsize, "track elements"), "a track")
        starts.append(start)
    file.end()
    data = np.frombuffer(file.data, np.uint8)
    begins = np.array(starts, np.int64)
    heads = data[begins[:, None] + np.arange(POINT.itemsize)].reshape(-1).view(POINT)
    in_track = np.ones(len(data), bool)
    in_track[:8] = False
    in_track[begins[:, None] + np.arange(POINT.itemsize)] = False
    tracks = data[in_track].view(TRACK).astype(np.int64).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum(heads["length"].astype(np.int64))])
    return ColmapPoints(
        heads["id"].copy(), heads["xyz"].copy(), heads["rgb"].copy(), heads["error"].copy(), offsets, tracks
    )


def _rigs(file: Cursor, remarks: Remarks) -> tuple[ColmapRig, ...]:
    rigs = []
    for _ in range(file.count(8, "rigs")):
        number, count = file.take("<II", "a rig")
        sensors: list[tuple[str, int, Rigid | None]] = []
        for index in range(count):
            kind, sensor = file.take("<iI", "a sensor of a rig")
            pose: Rigid | None = Rigid.identity() if index == 0 else None
            if index and file.take("<B", "a sensor of a rig")[0]:
                item = f"sensor {sensor} of rig {number}"
                pose = pose_of(file.path, item, file.take("<7d", "a pose in a rig"), remarks)
            sensors.append((_sensor_type(file, kind), sensor, pose))
        rigs.append(ColmapRig(number, tuple(sensors)))
    file.end()
    return tuple(rigs)


def _frames(file: Cursor, remarks: Remarks) -> tuple[ColmapFrame, ...]:
    frames = []
    for _ in range(file.count(68, "frames")):
        number, rig, *values, count = file.take("<II7dI", "a frame")
        pose = checked_poses(file.path, [f"frame {number}"], np.array([values]), remarks)[0]
        data = tuple(file.take("<iIQ", "a data id of a frame") for _ in range(count))
        frames.append(ColmapFrame(number, rig, pose, tuple((_sensor_type(file, k), s, i) for k, s, i in data)))
    file.end()
    return tuple(frames)


def _sensor_type(file: Cursor, number: int) -> str:
    if not 0 <= number < len(SENSOR_TYPES):
        raise file.error(f"sensor type {number}, expected 0 (camera) or 1 (IMU)")
    return SENSOR_TYPES[number]
