"""Writing COLMAP binary models."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ...geometry.camera import Camera
from .binary import KEYPOINT, POINT, TRACK
from .model import (
    MODEL_NAMES,
    SENSOR_TYPES,
    ColmapFrame,
    ColmapImages,
    ColmapModel,
    ColmapPoints,
    ColmapRig,
    pose_numbers,
)


def write_binary(folder: Path, model: ColmapModel) -> None:
    """Write the binary files of a model."""
    (folder / "cameras.bin").write_bytes(_camera_bytes(model.cameras))
    with (folder / "images.bin").open("wb") as file:
        file.write(struct.pack("<Q", len(model.images)))
        for row in range(len(model.images)):
            file.write(_image_bytes(model.images, row))
    (folder / "points3D.bin").write_bytes(_point_bytes(model.points))
    if model.rigs:
        (folder / "rigs.bin").write_bytes(_counted(map(_rig_bytes, model.rigs)))
        (folder / "frames.bin").write_bytes(_counted(map(_frame_bytes, model.frames)))


def _counted(parts: Iterable[bytes]) -> bytes:
    listed = list(parts)
    return struct.pack("<Q", len(listed)) + b"".join(listed)


def _rig_bytes(rig: ColmapRig) -> bytes:
    parts = [struct.pack("<II", rig.rig_id, len(rig.sensors))]
    for index, (kind, number, pose) in enumerate(rig.sensors):
        parts.append(struct.pack("<iI", SENSOR_TYPES.index(kind), number))
        if index:
            parts.append(b"\0" if pose is None else struct.pack("<B7d", 1, *pose_numbers(pose)))
    return b"".join(parts)


def _frame_bytes(frame: ColmapFrame) -> bytes:
    head = struct.pack("<II7dI", frame.frame_id, frame.rig_id, *frame.pose, len(frame.data))
    return head + b"".join(struct.pack("<iIQ", SENSOR_TYPES.index(k), sensor, image) for k, sensor, image in frame.data)


def _camera_bytes(cameras: dict[int, Camera]) -> bytes:
    parts = []
    for number, camera in cameras.items():
        head = struct.pack("<IiQQ", number, MODEL_NAMES.index(camera.model), camera.width, camera.height)
        parts.append(head + struct.pack(f"<{len(camera.params)}d", *camera.params))
    return _counted(parts)


def _image_bytes(images: ColmapImages, row: int) -> bytes:
    own = slice(images.offsets[row], images.offsets[row + 1])
    points = np.empty(own.stop - own.start, KEYPOINT)
    points["xy"], points["point"] = images.keypoints[own], images.point_ids[own]
    head = struct.pack("<I7dI", images.ids[row], *images.poses[row], images.camera_ids[row])
    return head + images.names[row].encode() + b"\0" + struct.pack("<Q", len(points)) + points.tobytes()


def _point_bytes(points: ColmapPoints) -> bytes:
    heads = np.empty(len(points.ids), POINT)
    heads["id"], heads["xyz"], heads["rgb"], heads["error"] = points.ids, points.xyz, points.rgb, points.errors
    heads["length"] = np.diff(points.offsets)
    begins = 8 + np.arange(len(heads)) * POINT.itemsize + points.offsets[:-1] * 2 * TRACK.itemsize
    places = begins[:, None] + np.arange(POINT.itemsize)
    size = 8 + heads.nbytes + points.tracks.size * TRACK.itemsize
    out, in_track = np.empty(size, np.uint8), np.ones(size, bool)
    in_track[:8], in_track[places] = False, False
    out[:8] = np.frombuffer(struct.pack("<Q", len(heads)), np.uint8)
    out[places] = np.frombuffer(heads.tobytes(), np.uint8).reshape(-1, POINT.itemsize)
    out[in_track] = np.frombuffer(points.tracks.astype(TRACK).tobytes(), np.uint8)
    return out.tobytes()
