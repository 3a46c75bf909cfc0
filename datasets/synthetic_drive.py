"""A drive through the synthetic gallery: a rig of three cameras, many instants, half of them by night, exact truth.

Some of its photos show next to nothing (blurred, dark, covered), at some instants none of the three does. An odometry
with drift comes with it. It is what rigs and sequences are tried on; the gallery's mapping images make the map.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from vloc import atomic
from vloc.array_types import UInt8
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime, one_thread_per_worker

from . import gallery_kapture as kapture
from .gallery_cameras import CAMERA_NAMES, drive_pose, rig_cameras, sensors_from_rig
from .gallery_light import by_day, by_night
from .gallery_plan import generator
from .gallery_world import World
from .synthetic_gallery import JPEG_QUALITY, GalleryConfig, world
from .synthetic_gallery import make as make_gallery

STREAM = 11
STEP_NS = 200_000_000
"""between two instants: five a second"""
DRIFT_M, DRIFT_DEG = 0.01, 0.1
"""standard deviation of the odometry's error of one step, of each component"""


@dataclass(frozen=True)
class DriveConfig:
    """What drive to make."""

    num_instants: Annotated[int, msgspec.Meta(ge=2)] = 60
    """at which each of the three cameras takes a photo; the second half is by night"""
    blind: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    """part of the photos that show next to nothing"""
    dark_instants: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    """part of the instants at which none of the photos shows anything"""


@dataclass(frozen=True)
class SceneConfig(DriveConfig):
    """What drive to make, and in which gallery."""

    gallery: GalleryConfig = field(default_factory=GalleryConfig)
    """the place: its mapping images make the map"""


def make(root: Path, config: SceneConfig) -> None:
    """Write the gallery, and a drive through it: `root/drive`, its true poses and its odometry."""
    make_gallery(root, config.gallery)
    drive_through(root, config.gallery, DriveConfig(config.num_instants, config.blind, config.dark_instants))


def drive_through(
    root: Path,
    gallery: GalleryConfig,
    drive: DriveConfig = DriveConfig(),
    runtime: Runtime = Runtime(),  # noqa: B008 - frozen
) -> None:
    """Write `root/drive` (a capture without poses), `root/drive_truth.txt` and `root/drive_odometry.txt` (TUM's form).

    `root` is the folder of that gallery, whose `mapping` the map is made of; what is there is kept.
    """
    place, folder = world(gallery), root / "drive"
    for name in CAMERA_NAMES:
        (folder / kapture.IMAGES / name).mkdir(parents=True, exist_ok=True)
    poses = [drive_pose(place, (i + 0.5) / drive.num_instants) for i in range(drive.num_instants)]
    spoilt = _spoilt(place.seed, drive)
    cameras, mounts = rig_cameras(gallery.image_size), sensors_from_rig()

    def take(index: int) -> None:
        instant, name = index // 3, CAMERA_NAMES[index % 3]
        path = folder / kapture.IMAGES / photo_name(index)
        if not path.exists():
            picture = place.picture(cameras[name], mounts[name] @ poses[instant])
            rng = generator(place.seed, STREAM, 1, index)
            seen = by_night(picture, rng) if instant >= drive.num_instants / 2 else by_day(picture)
            atomic.write_bytes(path, _encoded(BLINDED[index % len(BLINDED)](seen) if spoilt[index] else seen))

    with one_thread_per_worker(), ThreadPoolExecutor(runtime.num_workers) as pool:
        list(pool.map(take, range(3 * drive.num_instants)))
    _write(root, gallery, poses)


def photo_name(index: int) -> str:
    """Of a photo by its number; three in a row are of one instant."""
    return f"{CAMERA_NAMES[index % 3]}/{index // 3:06d}.jpg"


def blinded(gallery: GalleryConfig, drive: DriveConfig = DriveConfig()) -> set[str]:
    """The names of the photos that show next to nothing."""
    return {photo_name(int(index)) for index in np.flatnonzero(_spoilt(gallery.seed, drive))}


def _spoilt(seed: int, drive: DriveConfig) -> np.ndarray:
    """Which photos: all of the instants that are drawn first, then others until there are enough."""
    rng, total = generator(seed, STREAM), 3 * drive.num_instants
    spoilt = np.zeros((drive.num_instants, 3), bool)
    spoilt[rng.choice(drive.num_instants, round(drive.dark_instants * drive.num_instants), replace=False)] = True
    left = np.flatnonzero(~spoilt.ravel())
    count = min(max(0, round(drive.blind * total) - int(spoilt.sum())), len(left))
    spoilt.ravel()[rng.choice(left, count, replace=False)] = True
    return spoilt.ravel()


def _blurred(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    import cv2

    return np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 20))


def _dark(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    return np.asarray(picture // 64)


def _covered(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    return np.broadcast_to(picture.mean((0, 1)).astype(np.uint8), picture.shape).copy()


BLINDED: tuple[Callable[[np.ndarray], np.ndarray], ...] = (_blurred, _dark, _covered)
"""what makes a photo show next to nothing; one after the other"""


def _encoded(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], quality)[1].tobytes())


def _write(root: Path, gallery: GalleryConfig, poses: list[Rigid]) -> None:
    """The capture, the true poses of its photos, and the odometry of the rig."""
    cameras, mounts = rig_cameras(gallery.image_size), sensors_from_rig()
    times = [kapture.START + i * STEP_NS for i in range(len(poses))]
    names = [photo_name(index) for index in range(3 * len(poses))]
    records = [(times[index // 3], CAMERA_NAMES[index % 3], name) for index, name in enumerate(names)]
    truth = [(name, mounts[CAMERA_NAMES[index % 3]] @ poses[index // 3]) for index, name in enumerate(names)]
    atomic.write_text(root / "drive_truth.txt", "".join(f"{n} {kapture.numbers(p, ' ')}\n" for n, p in truth))
    odometry = [
        f"{t / 1e9:.9f} {_tum(pose)}\n" for t, pose in zip(times, _drifting(world(gallery), poses), strict=True)
    ]
    atomic.write_text(root / "drive_odometry.txt", "".join(odometry))
    sensors = [(name, "camera", cameras[name]) for name in CAMERA_NAMES]
    kapture.write(root / "drive", sensors, [("rig", n, mounts[n]) for n in CAMERA_NAMES], [], {"camera": records})


def _drifting(place: World, poses: list[Rigid]) -> list[Rigid]:
    """`rig_from_odometry`: true steps with a small error each, from a frame of its own."""
    rng, found = generator(place.seed, STREAM, 2), [Rigid.identity()]
    for before, after in pairwise(poses):
        error = np.concatenate([math.radians(DRIFT_DEG) * rng.normal(size=3) / 2, DRIFT_M * rng.normal(size=3)])
        slip = Rigid.from_quat_wxyz(np.append(1.0, error[:3]), error[3:])
        found.append(slip @ after @ before.inverse() @ found[-1])
    return found


def _tum(rig_from_world: Rigid) -> str:
    """`tx ty tz qx qy qz qw` of the rig in the world."""
    pose = rig_from_world.inverse()
    w, x, y, z = pose.quat_wxyz
    return " ".join(repr(float(value)) for value in (*pose.translation, x, y, z, w))
