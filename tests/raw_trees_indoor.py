"""Published benchmarks of rooms and buildings in their own raw formats, tiny, drawn in the synthetic gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from vloc.datasets import seven_scenes
from vloc.datasets.gallery_cameras import query, rig_pose, sensors_from_rig
from vloc.datasets.gallery_world import World
from vloc.datasets.synthetic_gallery import GalleryConfig, render, world

import vloc
from vloc.geometry.camera import Camera

CAMERA = Camera("SIMPLE_PINHOLE", 320, 240, (262.5, 160.0, 120.0))
"""half of 7-Scenes' colour camera"""


@dataclass(frozen=True)
class Shot:
    """A picture by CAMERA, with its depth at the pixels' centres (m) and pose."""

    picture: np.ndarray
    depth: np.ndarray
    cam_from_world: vloc.Rigid


@dataclass(frozen=True)
class Rooms:
    """A gallery with what was photographed to map it, and what is to be localized."""

    world: World
    mapping: Sequence[Shot]
    query: Sequence[Shot]


def rooms(num_stops: int, num_queries: int) -> Rooms:
    """Three pictures at each stop of the rig, and photos by hand, by day."""
    gallery = world(GalleryConfig(num_images=3 * num_stops))
    mapping = [
        camera_from_rig @ rig_pose(gallery, stop, num_stops)
        for stop in range(num_stops)
        for camera_from_rig in sensors_from_rig().values()
    ]
    asked = [query(gallery, index, num_queries).cam_from_world for index in range(num_queries)]
    taken = [[Shot(*render(gallery, CAMERA, pose), pose) for pose in poses] for poses in (mapping, asked)]
    return Rooms(gallery, *taken)


def numbers(values: np.ndarray) -> str:
    """Numbers that read back exactly."""
    return " ".join(map(repr, np.ravel(values).tolist()))


def matrix_of(pose: vloc.Rigid) -> np.ndarray:
    """The transform as a 4 x 4 matrix."""
    return np.vstack([np.hstack([pose.rotation, pose.translation[:, None]]), [0, 0, 0, 1]])


def put(pixels: np.ndarray, path: Path) -> None:
    """An image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = {"compress_level": 1} if path.suffix == ".png" else {"quality": 95, "subsampling": 0}
    Image.fromarray(pixels).save(path, **how)


def cambridge(root: Path, made: Rooms, scenes: Sequence[str]) -> None:
    """Cambridge Landmarks: for each scene lists of poses (centre, then world to camera) and the model of VisualSFM."""
    title = "Visual Landmark Dataset V1\nImageFile, Camera Position [X, Y, Z, W, P, Q, R]\n\n"
    for scene in scenes:
        lenses = []
        for sequence, (split, shots) in enumerate([("train", made.mapping), ("test", made.query)], start=1):
            rows = []
            for index, shot in enumerate(shots, start=1):
                name, pose = f"seq{sequence}/frame{index:05d}", shot.cam_from_world
                put(shot.picture, root / scene / f"{name}.png")
                rows.append(f"{name}.png {numbers(pose.center)} {numbers(pose.quat_wxyz)}\n")
                lenses.append(f"{name}.jpg {CAMERA.focal[0]!r} 1 0 0 0 0 0 0 0 0\n")
            (root / scene / f"dataset_{split}.txt").write_text(title + "".join(rows))
        (root / scene / "reconstruction.nvm").write_text(f"NVM_V3\n\n{len(lenses)}\n{''.join(lenses)}\n0\n")


def seven_scenes_room(root: Path, made: Rooms) -> None:
    """A scene of 7-Scenes: Kinect frames at the poses of colour, in a sequence to train with and one to test."""
    for number, shots in enumerate((made.mapping, made.query), start=1):
        for index, shot in enumerate(shots):
            stem = root / f"seq-{number:02d}" / f"frame-{index:06d}"
            kinect_from_world = seven_scenes.COLOR_FROM_DEPTH.inverse() @ shot.cam_from_world
            put(twice(shot.picture), Path(f"{stem}.color.png"))
            depth = made.world.depth(seven_scenes.DEPTH, kinect_from_world)
            put(np.rint(depth * 1000).astype(np.uint16), Path(f"{stem}.depth.png"))
            rows = matrix_of(kinect_from_world.inverse())
            Path(f"{stem}.pose.txt").write_text("".join(f"{numbers(row)}\n" for row in rows))
    (root / "TrainSplit.txt").write_text("sequence1\n")
    (root / "TestSplit.txt").write_text("sequence2\n")


def twice(picture: np.ndarray) -> np.ndarray:
    """Twice as wide and high."""
    height, width = picture.shape[:2]
    return np.array(Image.fromarray(picture).resize((2 * width, 2 * height), Image.Resampling.BICUBIC))
