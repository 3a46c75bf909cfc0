"""Reading COLMAP text models: cameras.txt, images.txt, points3D.txt, and rigs.txt and frames.txt since 3.12."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ..camera_text import parse_camera
from ..remarks import Remarks
from ..text_fields import parse_float, parse_floats, parse_integer, refusal
from ..text_lines import data_lines, lines_of
from .model import (
    NO_POINT,
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

# Ids are read with the coordinates, as doubles: beyond this they would not be exact.
_MAX_ID = 2**53


def read_text(folder: Path, remarks: Remarks) -> ColmapModel:
    """A text model; DataError with file and line."""
    rigs = tuple(_rigs(folder / "rigs.txt", remarks)) if (folder / "rigs.txt").exists() else ()
    frames = tuple(_frames(folder / "frames.txt", remarks)) if (folder / "frames.txt").exists() else ()
    images, points = _images(folder / "images.txt", remarks), _points(folder / "points3D.txt")
    return ColmapModel(_cameras(folder / "cameras.txt"), images, points, rigs, frames, folder, ".txt")


def _cameras(path: Path) -> dict[int, Camera]:
    cameras: dict[int, Camera] = {}
    for line, text in data_lines(path):
        camera_id, *fields = text.split()
        number = _integer(path, line, camera_id)
        if number in cameras:
            raise refusal(path, line, f"camera {number} is here twice")
        try:
            cameras[number] = parse_camera(fields)
        except ValueError as error:
            raise refusal(path, line, str(error), "CAMERA_ID MODEL WIDTH HEIGHT PARAMS", text) from None
    return cameras


def _images(path: Path, remarks: Remarks) -> ColmapImages:
    """Two lines an image; the second, with its keypoints, may be empty and is missing at most at the end."""
    rows: list[tuple[int, list[float], int, str]] = []
    keypoints, point_ids = list[np.ndarray](), list[np.ndarray]()
    lines = iter(enumerate(lines_of(path), start=1))
    for number, text in lines:
        if not text.strip() or text.startswith("#"):
            continue
        fields = text.split(maxsplit=9)
        if len(fields) != 10:
            raise refusal(path, number, f"{len(fields)} fields", "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME", text)
        pose = [_float(path, number, field) for field in fields[1:8]]
        rows.append((_integer(path, number, fields[0]), pose, _integer(path, number, fields[8]), fields[9].rstrip()))
        below, points = next(lines, (number + 1, ""))
        values = _numbers(path, below, points, 3, "X Y POINT3D_ID of each keypoint")
        keypoints.append(values[:, :2])
        point_ids.append(_ids(path, below, values[:, 2]))
    return images_table(path, rows, keypoints, point_ids, remarks)


def _points(path: Path) -> ColmapPoints:
    heads, tracks = list[np.ndarray](), list[np.ndarray]()
    for number, text in data_lines(path):
        values = _numbers(
            path, number, text, 2, "POINT3D_ID X Y Z R G B ERROR and (IMAGE_ID POINT2D_IDX) pairs"
        ).ravel()
        if len(values) < 8:
            raise refusal(path, number, f"{len(values)} numbers", "POINT3D_ID X Y Z R G B ERROR and a track", text)
        if (values[4:7] != np.clip(np.rint(values[4:7]), 0, 255)).any():
            raise refusal(path, number, "colour out of range", "three whole numbers from 0 to 255", text)
        _ids(path, number, values[[0]])
        heads.append(values[:8])
        tracks.append(_ids(path, number, values[8:]).reshape(-1, 2))
    head = np.array(heads, np.float64).reshape(-1, 8)
    offsets = np.cumsum([0, *map(len, tracks)])
    joined = np.concatenate([np.zeros((0, 2), np.int64), *tracks])
    return ColmapPoints(
        head[:, 0].astype(np.int64), head[:, 1:4], head[:, 4:7].astype(np.uint8), head[:, 7], offsets, joined
    )


def _rigs(path: Path, remarks: Remarks) -> Iterator[ColmapRig]:
    for number, text in data_lines(path):
        fields = iter(text.split())
        try:
            rig_id, count = parse_integer(next(fields)), parse_integer(next(fields))
            sensors: list[tuple[str, int, Rigid | None]] = []
            for index in range(count):
                kind, sensor = _sensor_type(next(fields)), parse_integer(next(fields))
                pose: Rigid | None = Rigid.identity() if index == 0 else None
                if index and parse_integer(next(fields)):
                    values = [parse_float(next(fields)) for _ in range(7)]
                    pose = pose_of(path, f"sensor {sensor} of rig {rig_id}", values, remarks)
                sensors.append((kind, sensor, pose))
        except StopIteration:
            raise refusal(
                path, number, "the line ends early", "RIG_ID NUM_SENSORS and that many sensors", text
            ) from None
        except ValueError as error:
            raise refusal(path, number, str(error), found=text) from None
        if next(fields, None) is not None:
            raise refusal(path, number, "the line goes on after its sensors", found=text)
        yield ColmapRig(rig_id, tuple(sensors))


def _frames(path: Path, remarks: Remarks) -> Iterator[ColmapFrame]:
    for number, text in data_lines(path):
        fields = text.split()
        count = _integer(path, number, fields[9]) if len(fields) > 9 else -1
        if len(fields) != 10 + 3 * count:
            raise refusal(
                path, number, f"{len(fields)} fields", "FRAME_ID RIG_ID, pose, NUM_DATA_IDS and data ids", text
            )
        pose = np.array([[_float(path, number, field) for field in fields[2:9]]])
        frame_id = _integer(path, number, fields[0])
        try:
            data = tuple(
                (_sensor_type(fields[i]), parse_integer(fields[i + 1]), parse_integer(fields[i + 2]))
                for i in range(10, len(fields), 3)
            )
        except ValueError as error:
            raise refusal(path, number, str(error), found=text) from None
        pose = checked_poses(path, [f"frame {frame_id}"], pose, remarks)[0]
        yield ColmapFrame(frame_id, _integer(path, number, fields[1]), pose, data)


def _sensor_type(text: str) -> str:
    if text not in SENSOR_TYPES:
        raise ValueError(f"sensor type '{text}', expected one of {', '.join(SENSOR_TYPES)}")
    return text


def _numbers(path: Path, line: int, text: str, group: int, expected: str) -> np.ndarray:
    """All numbers of a line in rows of `group`."""
    fields = text.split()
    if len(fields) % group:
        raise refusal(path, line, f"{len(fields)} numbers", expected, text)
    try:
        return np.array(parse_floats(fields), np.float64).reshape(-1, group)
    except ValueError as error:
        raise refusal(path, line, str(error), expected, text) from None


def _ids(path: Path, line: int, values: np.ndarray) -> np.ndarray:
    bad = (values != np.rint(values)) | (values < NO_POINT) | (values > _MAX_ID)
    if bad.any():
        raise refusal(path, line, "id out of range", "a whole number", repr(float(values[np.argmax(bad)])))
    return values.astype(np.int64)


def _integer(path: Path, line: int, text: str) -> int:
    try:
        return parse_integer(text)
    except ValueError as error:
        raise refusal(path, line, str(error), found=text) from None


def _float(path: Path, line: int, text: str) -> float:
    try:
        return parse_float(text)
    except ValueError as error:
        raise refusal(path, line, str(error), found=text) from None
