"""OpenSfM projects: reconstruction.json, tracks.csv and features/*.npz; see `about` for what is kept and lost.

A shot's rotation is an axis times an angle, world to camera; image coordinates count from the centre, as fractions of
the longer side. Only the first reconstruction is read: others stand in worlds of their own. Matches and anything else
that is pickled are never opened.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Features, Points
from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, register
from ..images import FolderImages
from ..json_text import Number, read_json
from ..remarks import Remarks
from ..scene import Scene, capture_of, check_names, image_folder
from .camera import camera_of
from .features import read_features, read_tracks
from .write import write

FILE, TRACKS = "reconstruction.json", "tracks.csv"
KIND = "opensfm"

Vec3 = tuple[Number, Number, Number]


class Shot(msgspec.Struct):
    """An image with its pose, world to camera."""

    rotation: Vec3
    translation: Vec3
    camera: str


class Point(msgspec.Struct):
    """A point; colours are from 0 to 255."""

    coordinates: Vec3
    color: Vec3 = (0.0, 0.0, 0.0)


class OneReconstruction(msgspec.Struct):
    """What is read of a reconstruction."""

    cameras: dict[str, dict[str, Any]]
    shots: dict[str, Shot]
    points: dict[str, Point] = {}


def recognises(path: Path) -> bool:
    """A folder that holds reconstruction.json, or that file."""
    file = path / FILE if path.is_dir() else path
    return file.is_file() and file.name == FILE


def read(path: Path, options: ReadOptions) -> Capture:
    """The shots in the order of the file, their places as timestamps; sensors have OpenSfM's names of cameras."""
    file, remarks = path / FILE if path.is_dir() else path, Remarks()
    every = read_json(file, list[OneReconstruction])
    if not every:
        raise DataError(f"{file}: no reconstruction in the file")
    if len(every) > 1:
        remarks.lose(file, "shots of further reconstructions left out", sum(len(one.shots) for one in every[1:]))
    first, folder = every[0], file.parent
    names = list(first.shots)
    check_names(file, names, [f": $[0].shots.{name}" for name in names])
    cameras = {name: camera_of(f"{file}: $[0].cameras.{name}", data) for name, data in first.cameras.items()}
    of_image = _cameras_of_shots(file, first, cameras)
    keypoints, descriptors = read_features(folder / "features", of_image, KIND, remarks)
    track, pixels = _tracks(folder / TRACKS, first, of_image, keypoints, remarks)
    poses = {row: _pose(shot) for row, shot in enumerate(first.shots.values())}
    used = {shot.camera for shot in first.shots.values()}
    kept = {name: camera for name, camera in cameras.items() if name in used}
    scene = Scene(
        names, kept, [shot.camera for shot in first.shots.values()], poses, _points(file, first), track, pixels
    )
    _note_unread(folder, len(names), remarks)
    folders = [options.images] if options.images else [folder / "images", folder]
    files = FolderImages(options.images) if options.images else image_folder(names, folders)
    capture = capture_of(scene, KIND, options, files, remarks, keypoints)
    if descriptors is None or capture.reconstruction is None:
        return capture
    return replace(capture, reconstruction=replace(capture.reconstruction, descriptors={KIND: descriptors}))


def _cameras_of_shots(file: Path, first: OneReconstruction, cameras: dict[str, Camera]) -> dict[str, Camera]:
    for name, shot in first.shots.items():
        if shot.camera not in cameras:
            raise DataError(f"{file}: $[0].shots.{name}.camera: '{shot.camera}' is not among the cameras")
    return {name: cameras[shot.camera] for name, shot in first.shots.items()}


def _pose(shot: Shot) -> Rigid:
    from scipy.spatial.transform import Rotation

    return Rigid(Rotation.from_rotvec(shot.rotation).as_matrix(), np.array(shot.translation))


def _points(file: Path, first: OneReconstruction) -> Points:
    xyz = np.array([point.coordinates for point in first.points.values()], np.float64).reshape(-1, 3)
    rgb = np.array([point.color for point in first.points.values()], np.float64).reshape(-1, 3)
    wrong = np.flatnonzero(((rgb < 0) | (rgb > 255)).any(1))
    if len(wrong):
        raise DataError(f"{file}: $[0].points.{list(first.points)[wrong[0]]}.color: {rgb[wrong[0]]}, expected 0 to 255")
    return Points(xyz, np.rint(rgb).astype(np.uint8))


def _tracks(
    path: Path, first: OneReconstruction, cameras: dict[str, Camera], keypoints: Features | None, remarks: Remarks
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (point, image, feature) and pixels of the tracks that are points, in images that are shots."""
    if not path.is_file():
        if first.points:
            remarks.add(path, "observations are missing: there is no such file")
        return np.zeros((0, 3), np.int64), np.zeros((0, 2))
    rows, points = read_tracks(path), {name: i for i, name in enumerate(first.points)}
    images = {name: i for i, name in enumerate(cameras)}
    counts = {name: len(keypoints.load(name)) for name in images} if keypoints else {}
    track, pixels = [], []
    for name, point, feature, (x, y) in zip(rows.images, rows.tracks, rows.features, rows.positions, strict=True):
        if point not in points or name not in images:
            continue
        if feature >= counts.get(name, feature + 1):
            raise DataError(f"{path}: track {point}: feature {feature} of '{name}', which has {counts[name]}")
        camera = cameras[name]
        longer = max(camera.width, camera.height)
        track.append((points[point], images[name], feature))
        pixels.append((x * longer + camera.width / 2, y * longer + camera.height / 2))
    if left := len(rows.images) - len(track):
        remarks.add(path, "observations left out: their track is no point, or their image no shot", left)
    return np.array(track, np.int64).reshape(-1, 3), np.array(pixels, np.float64).reshape(-1, 2)


def _note_unread(folder: Path, num_shots: int, remarks: Remarks) -> None:
    """Remark what stays behind: matches (pickles), and images that were not reconstructed."""
    matches = len(list((folder / "matches").glob("*.pkl.gz")))
    if matches:
        remarks.add(folder / "matches", "files of matches never opened: they are pickles, which can run code", matches)
    others = len(list((folder / "exif").glob("*.exif"))) - num_shots
    if others > 0:
        remarks.add(folder / "exif", "images that were not reconstructed left out", others)


register(
    Format(
        "opensfm",
        "OpenSfM project; names, intrinsics, poses, points, observations, features (read), no matches, times or rigs",
        recognises,
        read,
        write,
    )
)
