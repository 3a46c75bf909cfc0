"""Frames of a colour and a depth camera as 7-Scenes and 12-Scenes have them: depth in mm, poses camera to world."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vloc.array_types import Float32
from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.images import FolderImages, open_image
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .importing import rigid_of, rows_of_numbers

MM_PER_M = 1000.0
# Depth pixels that hold no measurement.
NO_DEPTH = (0, 65535)


@dataclass(frozen=True)
class Kit:
    """The rig of a benchmark: ids of rig, camera, depth sensor and of depth registered to the camera; geometry."""

    rig: str
    color_id: str
    depth_id: str
    registered_id: str
    color: Camera
    depth: Camera
    color_from_rig: Rigid
    """the rig has the frame of the poses, which is that of the depth sensor"""


@dataclass(frozen=True)
class Frame:
    """One shot: paths in the folder of the scene, without `.color.png` and the like; `time` is its number."""

    stem: str
    color: str
    time: int


@dataclass(frozen=True, eq=False)
class RgbdFiles:
    """Images as they are, and depth maps as kapture has them: float32, metres, little endian, 0 unknown."""

    images: FolderImages
    kit: Kit

    def read(self, name: str) -> bytes:
        """An image, `STEM.depth` or `STEM.depth.reg`; DataError names what is missing."""
        if name.endswith(".depth"):
            return self._depth(name).tobytes()
        if name.endswith(".depth.reg"):
            depth = self._depth(name.removesuffix(".reg"))
            return registered(depth, self.kit).tobytes()
        return self.images.read(name)

    def stamp(self, name: str) -> str:
        """The stamp of the file that it is made from."""
        source = f"{name.removesuffix('.reg')}.png" if name.endswith((".depth", ".depth.reg")) else name
        return self.images.stamp(source)

    def _depth(self, name: str) -> Float32[np.ndarray, "h w"]:
        source = f"{name}.png"
        values = np.array(open_image(io.BytesIO(self.images.read(source)), source))
        if values.shape != (self.kit.depth.height, self.kit.depth.width):
            size = f"{self.kit.depth.width} x {self.kit.depth.height}"
            raise DataError(
                f"{self.images.root / source}: depth of shape {values.shape}, expected {size} px, one channel"
            )
        values = np.where(np.isin(values, NO_DEPTH), 0, values)
        return (values / MM_PER_M).astype("<f4")


def registered(depth: Float32[np.ndarray, "h w"], kit: Kit) -> Float32[np.ndarray, "hc wc"]:
    """Depth seen from the colour camera: of several surfaces at a pixel the nearest counts.

    A colour pixel smaller than a depth pixel takes the depth of the one around it.
    """
    rows, columns = np.nonzero(depth > 0)
    z = depth[rows, columns].astype(np.float64)
    (fx, fy), (cx, cy) = kit.depth.focal, kit.depth.principal_point
    # Pixels' centres are at halves.
    rays = np.stack([(columns + 0.5 - cx) / fx, (rows + 0.5 - cy) / fy, np.ones(len(z))], axis=1)
    points = kit.color_from_rig.apply(rays * z[:, None])
    points = points[points[:, 2] > 0]
    (fx, fy), (cx, cy) = kit.color.focal, kit.color.principal_point
    x = np.floor(points[:, 0] / points[:, 2] * fx + cx).astype(np.int64)
    y = np.floor(points[:, 1] / points[:, 2] * fy + cy).astype(np.int64)
    seen = np.zeros((kit.color.height, kit.color.width), "<f4")
    reach = int(np.ceil(kit.color.width / kit.depth.width)) - 1
    far_first = np.argsort(-points[:, 2], kind="stable")
    for ring in range(reach, -1, -1):  # a pixel's own depth goes over what its neighbours lend it
        for dy, dx in _ring(ring):
            _put(seen, x[far_first] + dx, y[far_first] + dy, points[far_first, 2])
    return seen


def _ring(radius: int) -> list[tuple[int, int]]:
    """The offsets of a square ring around a pixel."""
    side = range(-radius, radius + 1)
    return [(dy, dx) for dy in side for dx in side if max(abs(dy), abs(dx)) == radius]


def _put(image: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> None:
    """Write values, the last of each pixel counting."""
    inside = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
    image[y[inside], x[inside]] = z[inside]


def capture_of(folder: Path, frames: Sequence[Frame], kit: Kit) -> Capture:
    """Images, depth maps as measured and as registered, and poses; a pose that is not finite is left out, noted."""
    poses, notes = _poses(folder, frames, kit)
    depths = [(frame.time, kit.depth_id, f"{frame.stem}.depth") for frame in frames]
    depths += [(frame.time, kit.registered_id, f"{frame.stem}.depth.reg") for frame in frames]
    sensors = {
        kit.color_id: Sensor("camera", kit.color_id, kit.color),
        kit.depth_id: Sensor("depth", kit.depth_id, kit.depth),
        kit.registered_id: Sensor("depth", kit.registered_id, kit.color),
    }
    placed: Mapping[str, Rigid] = {
        kit.color_id: kit.color_from_rig,
        kit.registered_id: kit.color_from_rig,
        kit.depth_id: Rigid.identity(),
    }
    return Capture(
        sensors,
        Records.from_rows([(frame.time, kit.color_id, frame.color) for frame in frames]),
        Trajectory.from_rows(poses) if poses else Trajectory.empty(),
        tuple(RigMember(kit.rig, sensor, pose) for sensor, pose in placed.items()),
        {"depth": Records.from_rows(depths)},
        files=RgbdFiles(FolderImages(folder), kit),
        notes=notes,
    )


def only_depth_of(capture: Capture, sensor: str) -> Capture:
    """The capture with the depth maps of one sensor alone."""
    depth = capture.others["depth"]
    rows = [
        (time, sensor, name)
        for time, device, name in zip(depth.timestamps.tolist(), depth.devices.tolist(), depth.names, strict=True)
        if depth.device_ids[device] == sensor
    ]
    return replace(capture, others={"depth": Records.from_rows(rows)})


def _poses(folder: Path, frames: Sequence[Frame], kit: Kit) -> tuple[list[tuple[int, str, Rigid]], tuple[str, ...]]:
    rows, lost = [], []
    for frame in frames:
        path = folder / f"{frame.stem}.pose.txt"
        if _is_lost(path):
            lost.append(frame.stem)
            continue
        numbers = [row for _, row in rows_of_numbers(path, 4)]
        if len(numbers) != 4:
            raise DataError(f"{path}: {len(numbers)} rows, expected a 4 x 4 matrix")
        rows.append((frame.time, kit.rig, rigid_of(path, np.array(numbers)).inverse()))
    return rows, (f"{len(lost)} frames whose pose was lost in tracking (first: {lost[0]})",) if lost else ()


def _is_lost(path: Path) -> bool:
    """Whether tracking was lost, which the authors write as `-1.#INF`."""
    return path.is_file() and b"INF" in path.read_bytes()[:4096].upper()


def frame_of(folder: Path, stem: str, time: int) -> Frame:
    """The frame of a stem, its colour image being PNG or JPEG; DataError where there is none."""
    for suffix in ("png", "jpg"):
        if (folder / f"{stem}.color.{suffix}").is_file():
            return Frame(stem, f"{stem}.color.{suffix}", time)
    raise DataError(f"{folder / stem}.color.png: no such image, nor .jpg")
