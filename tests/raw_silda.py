"""SILDa in its own raw formats: one place, two fisheye cameras back to back, queries at three instants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from vloc.datasets.gallery_world import World

import vloc
from tests.raw_drives import Photo, drives
from vloc.geometry.projection import unproject

SIZE = 256  # px; kapture's numbers are for 1024
PRINCIPAL_POINTS = {"0": (0.5, 0.496), "1": (0.502, 0.5)}
CAMERAS = {
    name: vloc.Camera(
        "FOV", SIZE, SIZE, (217.294036 * SIZE / 1024, 217.214703 * SIZE / 1024, SIZE * x, SIZE * y, 0.769113)
    )
    for name, (x, y) in PRINCIPAL_POINTS.items()
}
MOUNTS = {
    "0": vloc.Rigid(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]), np.array([0.0, 0.0, -0.02])),
    "1": vloc.Rigid(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.array([0.0, 0.0, -0.02])),
}
WIDE = vloc.Camera("PINHOLE", 320, 320, (68.0, 68.0, 160.0, 160.0))
"""what the gallery draws, which is 134 degrees wide; the rest of the fisheyes' circles is black"""
LOCALIZED = 4000
"""number of the first query"""


@dataclass(frozen=True)
class Silda:
    """The folder, and the true poses by name."""

    root: Path
    mapping: dict[str, vloc.Rigid]
    queries: dict[str, vloc.Rigid]


def write(root: Path) -> Silda:
    """All files; of one map image the pose is missing."""
    place = drives(CAMERAS, MOUNTS, 5, _fisheye)
    mapped = {_name(photo): photo for photo in place.mapping}
    queries = {_name(photo, LOCALIZED): photo for photo in place.queries}
    (root / "camera-intrinsics").mkdir(parents=True)
    for name, photo in (mapped | queries).items():
        photo.save(root / "silda-images" / name)
        numbers = "\n".join(map(repr, [*PRINCIPAL_POINTS[photo.camera], 0.3, 0.0, 0.1]))
        (root / "camera-intrinsics" / f"{Path(name).stem}.intrinsics").write_text(f"{numbers}\n")
    (root / "train_imgs.txt").write_text("".join(f"{name}\n" for name in mapped) + "9_0.png\n")
    (root / "query_imgs.txt").write_text("".join(f"{name}\n" for name in queries))
    lines = [_line(name, photo.pose.inverse()) for name, photo in mapped.items()]
    (root / "silda-train-poses.txt").write_text("".join(lines))
    return Silda(root, {n: photo.pose for n, photo in mapped.items()}, {n: photo.pose for n, photo in queries.items()})


def _name(photo: Photo, first: int = 0) -> str:
    return f"{first + photo.instant}_{photo.camera}.png"


def _line(name: str, world_from_cam: vloc.Rigid) -> str:
    numbers = [*world_from_cam.quat_wxyz.tolist(), *world_from_cam.translation.tolist()]
    return f"{name} {' '.join(map(repr, numbers))}\n"


def _fisheye(place: World, camera: vloc.Camera, pose: vloc.Rigid) -> np.ndarray:
    """A wide picture without distortion, bent."""
    columns, rows = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = unproject(camera, np.stack([columns.ravel(), rows.ravel()], -1))
    # The first pixel is centred at (0.5, 0.5) here, and at (0, 0) for OpenCV.
    at = np.nan_to_num(rays * WIDE.focal + WIDE.principal_point - 0.5, nan=-9).astype(np.float32)
    at = at.clip(-9, 2000).reshape(*rows.shape, 2)
    return np.asarray(cv2.remap(place.picture(WIDE, pose), at, None, cv2.INTER_AREA, borderValue=(0, 0, 0)))
