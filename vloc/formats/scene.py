"""Images, cameras, poses, points and tracks in columns: what the files of reconstruction programs have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..array_types import Float64, Int64
from ..data.capture import Capture, Sensor
from ..data.reconstruction import Features, InMemory, Observations, Points, Reconstruction
from ..data.records import Records, Trajectory
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from ..regular_file import is_regular
from .base import ReadOptions
from .images import FolderImages, unsafe_path
from .remarks import Remarks
from .text_fields import LARGEST, within_range

# How far from orthonormal a matrix may be and still count as a rotation that was written with few digits.
ROTATION_TOLERANCE = 1e-3


def _no_points() -> Points:
    return Points(np.zeros((0, 3)))


def _no_track() -> Int64[np.ndarray, "o 3"]:
    return np.zeros((0, 3), np.int64)


def _no_pixels() -> Float64[np.ndarray, "o 2"]:
    return np.zeros((0, 2))


@dataclass(frozen=True, eq=False)
class Scene:
    """`sensor_of`: the sensor of each image, a key of `cameras`. `poses`: `cam_from_world` by image row.

    `track`: a row (point row, image row, number of the keypoint) an observation, at `pixels`, first centre at 0.5.
    """

    names: list[str]
    cameras: dict[str, Camera]
    sensor_of: list[str]
    poses: dict[int, Rigid]
    points: Points = field(default_factory=_no_points)
    track: Int64[np.ndarray, "o 3"] = field(default_factory=_no_track)
    pixels: Float64[np.ndarray, "o 2"] = field(default_factory=_no_pixels)


def capture_of(
    scene: Scene,
    kind: str,
    options: ReadOptions,
    files: FolderImages | None,
    remarks: Remarks,
    features: Features | None = None,
) -> Capture:
    """Timestamps are the places of images in the file. `kind` names the keypoints.

    They are those of `features`, where the source has them apart; else those that observations mention, numbered anew
    in the order of their numbers in the file.
    """
    shift = 0.5 - options.pixel_center
    rows = [(row, sensor, name) for row, (sensor, name) in enumerate(zip(scene.sensor_of, scene.names, strict=True))]
    return Capture(
        {sensor: Sensor("camera", camera=camera.shifted(shift)) for sensor, camera in scene.cameras.items()},
        Records.from_rows(rows),
        Trajectory.from_rows([(row, scene.sensor_of[row], pose) for row, pose in scene.poses.items()]),
        reconstruction=_reconstruction(scene, kind, shift, features),
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _reconstruction(scene: Scene, kind: str, shift: float, features: Features | None) -> Reconstruction | None:
    """Points, keypoints and observations."""
    if not len(scene.points) and features is None:
        return None
    keypoints = scene.track[:, 2]
    if features is None:
        arrays, keypoints = _mentioned(scene, shift)
        features = Features(kind, np.dtype(np.float64), 2, sorted(arrays), InMemory(arrays))
    order = np.argsort(scene.track[:, 0], kind="stable")
    columns = (column[order].astype(np.int32) for column in (scene.track[:, 0], scene.track[:, 1], keypoints))
    return Reconstruction(scene.points, {kind: Observations(*columns)}, {kind: features})


def _mentioned(scene: Scene, shift: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The observed positions of each image as its keypoints, and the row of each observation's keypoint.

    Two positions under one number are two keypoints.
    """
    images, numbers = scene.track[:, 1], scene.track[:, 2]
    order = np.lexsort((*scene.pixels.T[::-1], numbers, images))
    columns = np.column_stack([images, numbers, scene.pixels])[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(columns, axis=0) != 0).any(1)
    counts = np.bincount(images[order][is_new], minlength=len(scene.names))
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(is_new) - 1
    pixels = scene.pixels[order][is_new] + shift
    arrays = {name: pixels[starts[row] : starts[row + 1]] for row, name in enumerate(scene.names)}
    return arrays, place - starts[images]


def shared_cameras(cameras: list[Camera]) -> tuple[dict[str, Camera], list[str]]:
    """Sensors `camera0`, `camera1`, ... of the distinct intrinsics, and the sensor of each image."""
    ids: dict[Camera, str] = {}
    sensor_of = [ids.setdefault(camera, f"camera{len(ids)}") for camera in cameras]
    return {sensor: camera for camera, sensor in ids.items()}, sensor_of


def check_names(path: Path, names: list[str], places: list[str]) -> None:
    """DataError, with the place in the file, for image names that occur twice or lead out of the image folder."""
    seen: dict[str, str] = {}
    for name, place in zip(names, places, strict=True):
        if reason := unsafe_path(name):
            raise DataError(f"{path}{place}: image '{name!r}': {reason}")
        if name in seen:
            raise DataError(f"{path}{place}: image '{name}' is here twice, also in {seen[name].lstrip(': ')}")
        seen[name] = place


def rotation_of(matrix: Float64[np.ndarray, "3 3"], place: str) -> Float64[np.ndarray, "3 3"]:
    """The rotation nearest to a matrix; DataError, beginning with `place`, for what is none (a mirror image)."""
    if not within_range(matrix).all():
        raise DataError(f"{place}: numbers that are not finite, or over {LARGEST:g}")
    u, singular, vt = np.linalg.svd(matrix)
    if np.abs(singular - 1).max() > ROTATION_TOLERANCE or np.linalg.det(u @ vt) < 0:
        raise DataError(
            f"{place}: no rotation: determinant {np.linalg.det(matrix):.6g}, axes of lengths {singular.round(6)}"
        )
    nearest: np.ndarray = u @ vt
    return nearest


def image_folder(names: list[str], folders: list[Path]) -> FolderImages | None:
    """The first folder that has the first image."""
    return next((FolderImages(folder) for folder in folders if names and is_regular(folder / names[0])), None)
