"""SILDa Weather and Time of Day (Balntas et al. 2019), as kapture: spherical photos, each of two fisheye images."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vloc.data.capture import ImageFiles
from vloc.data.mounts import estimate_mounts, members_of
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages, open_image
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, check_layout
from .importing import Shot, numbers_in, recorded, rows_of_numbers, write_scene

IMAGES, INTRINSICS, POSES = "silda-images", "camera-intrinsics", "silda-train-poses.txt"
TRAIN, QUERIES = "train_imgs.txt", "query_imgs.txt"
NAME = re.compile(r"(?P<time>\d+)_(?P<camera>\d+)\.png")
QUATERNION_TOLERANCE = 1e-3
CALIBRATED_SIZE = 1024
"""px, of the images that the numbers below are for"""
LENSES = {
    "FOV": ((217.294036, 217.214703), (0.769113,)),
    "OPENCV_FISHEYE": ((393.299, 394.815), (-0.223483, 0.117325, -0.0326138, 0.00361082)),
}
"""focal lengths and distortion that kapture found by SfM: the lens that the authors calibrated is of another kind"""
SILDA = Benchmark(
    "SILDa Weather and Time of Day",
    "https://www.visuallocalization.net/datasets/",
    "CC BY-NC-SA 4.0, academic use only",
    {
        IMAGES: "all images",
        f"{INTRINSICS}/*.intrinsics": "principal points",
        TRAIN: "names of the map images",
        QUERIES: "names of the queries",
        POSES: "poses of the map images",
    },
    "silda",
    counts={"mapping": 8334, "query": 6064},
)


@dataclass(frozen=True)
class SildaConfig:
    """What to import."""

    source: Path
    """folder with silda-images, camera-intrinsics, train_imgs.txt, query_imgs.txt and silda-train-poses.txt"""
    lens: Literal["FOV", "OPENCV_FISHEYE"] = "FOV"
    """model that stands for the fisheye: FOV as in the paper, or OPENCV_FISHEYE"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: SildaConfig) -> None:
    """Write `root/mapping` and `root/query` (no poses are public); timestamps are the numbers of the photos.

    The rig is what the poses of the map say. DataError for what lacks.
    """
    source, files = config.source, FolderImages(config.source / IMAGES)
    check_layout(SILDA, source)
    poses = _poses(source / POSES)
    mapped, queries = (_shots(source / names, poses) for names in (TRAIN, QUERIES))
    posed = [row for row in mapped if row[3] is not None]
    cameras = _cameras(config, files, [*mapped, *queries])
    rig = members_of(estimate_mounts(_by_camera(posed), min(cameras)), "silda_rig")
    lost = (f"{len(mapped) - len(posed)} of {len(mapped)} images of {TRAIN}: no pose",) if posed != mapped else ()
    mapping = replace(recorded(cameras, posed, files, rig), left_out=lost)
    write_scene(root, mapping, recorded(cameras, [(*row[:3], None) for row in queries], files, rig), config.transfer)


def _shots(path: Path, poses: Mapping[str, Rigid]) -> list[Shot]:
    """The images of a list, by the first field of its lines."""
    rows: list[Shot] = []
    for line, text in data_lines(path):
        name = text.split()[0]
        found = NAME.fullmatch(name)
        if found is None:
            raise refusal(path, line, "no image of SILDa", "NUMBER_CAMERA.png", name)
        rows.append((int(found["time"]), found["camera"], name, poses.get(name)))
    return rows


def _poses(path: Path) -> dict[str, Rigid]:
    """`cam_from_world` by name; lines `name qw qx qy qz tx ty tz` are camera to world."""
    poses = {}
    for line, text in data_lines(path):
        name, *fields = text.split()
        numbers = np.array(numbers_in(path, line, fields, 7))
        if abs(norm := float(np.linalg.norm(numbers[:4])) - 1) > QUATERNION_TOLERANCE:
            raise refusal(path, line, f"quaternion of norm {norm + 1:.3g}", "a rotation, norm 1")
        poses[name] = Rigid.from_quat_wxyz(numbers[:4], numbers[4:]).inverse()
    return poses


def _cameras(config: SildaConfig, files: ImageFiles, rows: Sequence[Shot]) -> dict[str, Camera]:
    """Of each camera, with the principal point that its first image has: a part of width and height each."""
    (fx, fy), distortion = LENSES[config.lens]
    first = {camera: name for _, camera, name, _ in reversed(rows)}
    cameras = {}
    for camera, name in sorted(first.items()):
        path = config.source / INTRINSICS / f"{Path(name).stem}.intrinsics"
        numbers = [number for _, row in rows_of_numbers(path) for number in row]
        if len(numbers) < 2 or not (min(numbers[:2]) > 0 and max(numbers[:2]) < 1):
            raise DataError(f"{path}: begins with {numbers[:2]}, expected the principal point in parts of the image")
        width, height = open_image(io.BytesIO(files.read(name)), name).size
        scale = width / CALIBRATED_SIZE
        params = (scale * fx, scale * fy, numbers[0] * width, numbers[1] * height, *distortion)
        cameras[camera] = Camera(config.lens, width, height, params)
    return cameras


def _by_camera(rows: Sequence[Shot]) -> dict[str, dict[int, Rigid]]:
    poses: dict[str, dict[int, Rigid]] = {}
    for time, camera, _, pose in rows:
        if pose is not None:
            poses.setdefault(camera, {})[time] = pose
    return poses
