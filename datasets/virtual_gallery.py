"""Virtual Gallery (Weinzaepfel et al., CVPR 2019), NAVER's rendered museum: the unpacked folder as kapture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages
from vloc.formats.text_fields import refusal
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, write_conditions
from .importing import required, rigid_of, rows_of_numbers, write_scene

WIDTH, HEIGHT = 1920, 1080
# Rendered pictures have their first pixel's centre at (0, 0).
PIXEL_CENTER = 0.0
RIG, NUM_CAMERAS = "training_rig", 6
# The six cameras look outwards, 60 degrees apart and 0.1 m from the middle of the rig.
RADIUS = 0.1
_TALL = 3**0.5 / 2
# (w, y) of the quaternion of each camera from the rig: turns about the vertical axis.
TURNS = ((1.0, 0.0), (-_TALL, 0.5), (0.5, -_TALL), (0.0, -1.0), (-0.5, -_TALL), (_TALL, 0.5))
_SEQUENCE = {
    "training": re.compile(r"gallery_light(\d+)_loop(\d+)"),
    "testing": re.compile(r"gallery_light(\d+)_occlusion(\d+)"),
}

BENCHMARK = Benchmark(
    "Virtual Gallery",
    "https://europe.naverlabs.com/research/3d-vision/virtual-gallery-dataset/",
    "NAVER LABS Europe's, non-commercial",
    {
        "training/gallery_light*_loop*/intrinsic.txt": "cameras to map",
        "training/gallery_light*_loop*/extrinsic.txt": "their poses",
        "training/gallery_light*_loop*/frames/rgb/camera_*/rgb_*.jpg": "their images",
        "testing/gallery_light*_occlusion*/intrinsic.txt": "cameras to localize",
        "testing/gallery_light*_occlusion*/extrinsic.txt": "their poses",
        "testing/gallery_light*_occlusion*/frames/rgb/camera_*/rgb_*.jpg": "their images",
    },
    "plain",
)


@dataclass(frozen=True)
class VirtualGalleryConfig:
    """Which part of the gallery to import."""

    source: Path
    """folder of the release (1.0.0) with training/ and testing/"""
    lights: tuple[int, ...] = ()
    """lighting conditions, 1 to 6; none means all"""
    loops: tuple[int, ...] = ()
    """loops of the training rig, 1 to 5; none means all"""
    occlusions: tuple[int, ...] = ()
    """levels of occlusion of testing, 1 to 4; none means all"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


@dataclass(frozen=True)
class Shot:
    """One image with its calibration and pose; `sequence` is its folder and (light, loop or occlusion)."""

    sequence: str
    numbers: tuple[int, int]
    frame: int
    camera: int
    focal_center: tuple[float, float, float, float]
    cam_from_world: Rigid

    @property
    def name(self) -> str:
        """The path of the image."""
        return f"{self.sequence}/frames/rgb/camera_{self.camera}/rgb_{self.frame:05d}.jpg"


def make(root: Path, config: VirtualGalleryConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`, whose pixel centres are at integers.

    `root/conditions.txt` has light and occlusion. DataError names file and line of what is broken.
    """
    training = list(shots(config.source, "training", config.lights, config.loops))
    testing = list(shots(config.source, "testing", config.lights, config.occlusions))
    if not training or not testing:
        raise DataError(f"{config.source}: {len(training)} training and {len(testing)} testing images are chosen")
    files = FolderImages(config.source)
    write_scene(root, training_capture(training, files), testing_capture(testing, files), config.transfer, PIXEL_CENTER)
    write_conditions(root, {shot.name: "light{}_occlusion{}".format(*shot.numbers) for shot in testing})


def shots(source: Path, part: str, lights: Sequence[int], others: Sequence[int]) -> Iterator[Shot]:
    """The images of the sequences of these numbers, by sequence, frame and camera."""
    for folder in sorted(required(source / part, "folder of the release").iterdir()):
        match = _SEQUENCE[part].fullmatch(folder.name)
        if match is None or not folder.is_dir():
            continue
        light, other = int(match[1]), int(match[2])
        if (not lights or light in lights) and (not others or other in others):
            yield from _sequence(folder, f"{part}/{folder.name}", (light, other))


def _sequence(folder: Path, sequence: str, numbers: tuple[int, int]) -> Iterator[Shot]:
    intrinsics = {}
    for _, (frame, camera, *rest) in rows_of_numbers(folder / "intrinsic.txt", 6, skip=1):
        intrinsics[int(frame), int(camera)] = (rest[0], rest[1], rest[2], rest[3])
    path, seen = folder / "extrinsic.txt", set()
    for line, (frame, camera, *matrix) in rows_of_numbers(path, 18, skip=1):
        key = int(frame), int(camera)
        if key not in intrinsics or key in seen:
            what = "is here twice" if key in seen else "is not in intrinsic.txt"
            raise refusal(path, line, f"frame {key[0]} of camera {key[1]} {what}")
        seen.add(key)
        yield Shot(sequence, numbers, *key, intrinsics[key], rigid_of(path, np.array(matrix).reshape(4, 4)))
    if missing := sorted(intrinsics.keys() - seen):
        raise DataError(f"{path}: no pose of frame {missing[0][0]} of camera {missing[0][1]}")


def _sensor(shot: Shot) -> Sensor:
    return Sensor("camera", camera=Camera("PINHOLE", WIDTH, HEIGHT, shot.focal_center).shifted(0.5 - PIXEL_CENTER))


def training_capture(taken: Sequence[Shot], files: FolderImages) -> Capture:
    """Six cameras on a rig, with the poses of the cameras; each sequence's frames are times of their own."""
    times: dict[tuple[str, int], int] = {}
    rows = [(times.setdefault((s.sequence, s.frame), len(times)), f"training_camera_{s.camera}", s) for s in taken]
    sensors = {device: _sensor(shot) for _, device, shot in rows}
    for _, device, shot in rows:
        if _sensor(shot) != sensors[device]:
            raise DataError(f"{shot.sequence}: camera {shot.camera} has other intrinsics in frame {shot.frame}")
    return Capture(
        dict(sorted(sensors.items())),
        Records.from_rows([(time, device, shot.name) for time, device, shot in rows]),
        Trajectory.from_rows([(time, device, shot.cam_from_world) for time, device, shot in rows]),
        tuple(RigMember(RIG, device, pose) for device, pose in rig().items() if device in sensors),
        files=files,
        pixel_center=PIXEL_CENTER,
    )


def rig() -> dict[str, Rigid]:
    """`sensor_from_rig` of each camera."""
    quats = np.array([(w, 0, y, 0) for w, y in TURNS], np.float64)
    poses = Rigid.from_quat_wxyz(quats, np.tile([0.0, 0.0, -RADIUS], (NUM_CAMERAS, 1)))
    return {f"training_camera_{number}": poses[number] for number in range(NUM_CAMERAS)}


def testing_capture(taken: Sequence[Shot], files: FolderImages) -> Capture:
    """A camera for each image, as focal lengths differ."""
    rows = [
        (time, f"testing_light_{s.numbers[0]}_occlusion_{s.numbers[1]}_frame_{s.frame}", s)
        for time, s in enumerate(taken)
    ]
    return Capture(
        {device: _sensor(shot) for _, device, shot in rows},
        Records.from_rows([(time, device, shot.name) for time, device, shot in rows]),
        Trajectory.from_rows([(time, device, shot.cam_from_world) for time, device, shot in rows]),
        files=files,
        pixel_center=PIXEL_CENTER,
    )
