"""OpenMVG's `sfm_data.json`, with .feat, .desc and matches.f.txt beside it; see `about` for what it keeps and loses.

Poses are a rotation world to camera and the centre; one focal length a camera; the position of an observation is in
the distorted image. `root_path` is of the machine that wrote the file and not followed: names are relative to it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.capture import Capture
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .base import Format, ReadOptions, WriteOptions, register
from .json_text import read_json
from .openmvg_camera import camera_of
from .openmvg_json import Landmark, SfmData, View
from .openmvg_regions import read_regions
from .openmvg_write import write_scene
from .remarks import Remarks
from .scene import Scene, capture_of, check_names, image_folder, points_of, rotation_of, track_of

FILE = "sfm_data.json"
KIND = "openmvg"
NO_ID = 2**32 - 1


def json_file(path: Path) -> Path:
    """The file itself, or the one in a folder."""
    return path / FILE if path.is_dir() else path


def recognises(path: Path) -> bool:
    """An `sfm_data*.json`, or a folder that holds `sfm_data.json`."""
    file = json_file(path)
    return file.is_file() and file.name.startswith("sfm_data") and file.suffix == ".json"


def read(path: Path, options: ReadOptions) -> Capture:
    """The views in the order of the file, their places as timestamps, with the regions and matches beside the file."""
    file, remarks = json_file(path), Remarks()
    content = read_json(file, SfmData)
    if content.sfm_data_version not in ("0.1", "0.2", "0.3"):
        raise DataError(f"{file}: $.sfm_data_version: '{content.sfm_data_version}', expected 0.1, 0.2 or 0.3")
    views = [entry.value.ptr_wrapper.view for entry in content.views]
    names = [f"{view.local_path.strip('/')}/{view.filename}".lstrip("/") for view in views]
    check_names(file, names, [f": $.views[{i}]" for i in range(len(names))])
    sensor_of, cameras = _cameras(file, content, views)
    poses = _poses(file, content, views)
    points, track, pixels = _structure(file, content, views)
    scene = Scene(names, cameras, sensor_of, poses, points, track, pixels)
    files = image_folder(names, [options.images] if options.images else [file.parent / "images", file.parent])
    capture = capture_of(scene, KIND, options, files, remarks)
    return read_regions(file.parent, capture, scene, views, options, remarks)


def _cameras(file: Path, content: SfmData, views: list[View]) -> tuple[list[str], dict[str, Camera]]:
    """The sensor of each view; views without intrinsics get one of unknown intrinsics for their size."""
    cameras: dict[str, Camera] = {}
    kinds: dict[int, str] = {}
    for i, entry in enumerate(content.intrinsics):
        place, value = f"{file}: $.intrinsics[{i}]", entry.value
        # cereal tells a type's name where it first occurs, marked by the highest bit, and only its number after.
        number = value.polymorphic_id & 0x7FFFFFFF
        kind = kinds.setdefault(number, value.polymorphic_name or "")
        cameras[f"camera{entry.key}"] = camera_of(place, kind, value.ptr_wrapper.data)
    sensor_of = []
    for i, view in enumerate(views):
        sensor = f"camera{view.id_intrinsic}"
        if view.id_intrinsic == NO_ID:
            sensor = f"unknown_{view.width}x{view.height}"
            cameras.setdefault(sensor, _unknown(f"{file}: $.views[{i}]", view))
        if sensor not in cameras:
            raise DataError(f"{file}: $.views[{i}]: id_intrinsic {view.id_intrinsic} is not among the intrinsics")
        sensor_of.append(sensor)
    return sensor_of, cameras


def _unknown(place: str, view: View) -> Camera:
    try:
        return Camera("UNKNOWN_CAMERA", view.width, view.height)
    except ValueError as error:
        raise DataError(f"{place}: {error}") from None


def _poses(file: Path, content: SfmData, views: list[View]) -> dict[int, Rigid]:
    """`cam_from_world` by row of the views."""
    by_id: dict[int, Rigid] = {}
    for i, entry in enumerate(content.extrinsics):
        place, value = f"{file}: $.extrinsics[{i}]", entry.value
        rotation = rotation_of(np.array(value.rotation), lambda what, place=place: DataError(f"{place}: {what}"))
        if entry.key in by_id:
            raise DataError(f"{place}: key {entry.key} is here twice")
        by_id[entry.key] = Rigid(rotation, -rotation @ np.array(value.center))
    return {row: by_id[view.id_pose] for row, view in enumerate(views) if view.id_pose in by_id}


def _structure(file: Path, content: SfmData, views: list[View]) -> tuple:
    """Points, and the observations of views; DataError for an observation in a view that is not there."""
    row_of = {view.id_view: row for row, view in enumerate(views)}
    if len(row_of) != len(views):
        raise DataError(f"{file}: $.views: an id_view is there twice")
    rows: list[tuple[int, int, int]] = []
    pixels: list[tuple[float, float]] = []
    for point, landmark in enumerate(content.structure):
        for entry in landmark.value.observations:
            if entry.key not in row_of:
                place = f"{file}: $.structure[{point}]"
                raise DataError(f"{place}: an observation in view {entry.key}, which the views lack")
            rows.append((point, row_of[entry.key], entry.value.id_feat))
            pixels.append(entry.value.x)
    return points_of([_xyz(landmark) for landmark in content.structure]), *track_of(rows, pixels)


def _xyz(landmark: Landmark) -> tuple[float, float, float]:
    return landmark.value.X
