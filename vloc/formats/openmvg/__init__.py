"""OpenMVG's `sfm_data.json` with regions and matches: see `about` for what is kept and lost.

Poses are a rotation world to camera and the centre in the world. `root_path` is of the machine that wrote the file and
not followed: names are relative to it. Regions (.feat, .desc of SIFT) and matches.f are beside it or in matches/.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Points, Reconstruction
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, WriteOptions, register
from ..images import FolderImages
from ..json_text import read_json, write_json
from ..kapture.write import transfer_files
from ..remarks import Remarks
from ..scene import Scene, capture_of, check_names, image_folder, rotation_of
from ..scene_export import common_losses, counted, first_type, scene_of
from .camera import cameras_of, written_camera
from .json import NO_ID, SfmData, View, entries, wrapped
from .matches import BINARY, TEXT, find_matches, read_matches, remark_unread, write_matches
from .regions import SIFT_WIDTH, read_regions, stems_of, write_descriptors, write_regions

FILE = "sfm_data.json"
KIND = "openmvg"
VERSIONS = ("0.1", "0.2", "0.3")


def json_file(path: Path) -> Path:
    """The file itself, or the one in a folder."""
    return path / FILE if path.is_dir() else path


def recognises(path: Path) -> bool:
    """An `sfm_data*.json`, or a folder that holds `sfm_data.json`."""
    file = json_file(path)
    return file.is_file() and file.name.startswith("sfm_data") and file.suffix == ".json"


def read(path: Path, options: ReadOptions) -> Capture:
    """The views in the order of the file, their places as timestamps."""
    file, remarks = json_file(path), Remarks()
    content = read_json(file, SfmData)
    if content.sfm_data_version not in VERSIONS:
        raise DataError(f"{file}: $.sfm_data_version: '{content.sfm_data_version}', expected {', '.join(VERSIONS)}")
    if content.control_points:
        remarks.add(file, "control points left out", len(content.control_points))
    views = [entry.value.ptr_wrapper.data.view for entry in content.views]
    names = [f"{view.local_path.strip('/')}/{view.filename}".lstrip("/") for view in views]
    check_names(file, names, [f": $.views[{i}]" for i in range(len(names))])
    cameras, sensor_of = cameras_of(file, content, views)
    scene = Scene(names, cameras, sensor_of, _poses(file, content, views), *_structure(file, content, views))
    files = image_folder(names, [options.images] if options.images else [file.parent / "images", file.parent])
    return _with_regions(file, scene, views, options, files, remarks)


def _with_regions(
    file: Path, scene: Scene, views: list[View], options: ReadOptions, files: FolderImages | None, remarks: Remarks
) -> Capture:
    """The scene with the keypoints, descriptors and matches of the folders where OpenMVG puts them."""
    folders = [file.parent, file.parent / "matches", file.parent.parent / "matches"]
    keypoints, descriptors = read_regions(folders, scene.names, KIND, 0.5 - options.pixel_center, remarks)
    matches_file = find_matches(folders)
    if keypoints is None:
        remark_unread(folders, None, "there are no features", remarks)
        return capture_of(scene, KIND, options, files, remarks)
    why = f"{matches_file.name} is read" if matches_file else f"it is neither {TEXT} nor {BINARY}"
    remark_unread(folders, matches_file, why, remarks)
    counts = {name: len(keypoints.load(name)) for name in scene.names}
    most = np.array([counts[name] for name in scene.names], np.int64)
    wrong = np.flatnonzero(scene.track[:, 2] >= most[scene.track[:, 1]])
    if len(wrong):
        point, image, number = scene.track[wrong[0]].tolist()
        name = scene.names[image]
        raise DataError(f"{file}: $.structure[{point}]: feature {number} of '{name}', whose .feat has {counts[name]}")
    capture = capture_of(scene, KIND, options, files, remarks, keypoints)
    work = capture.reconstruction or Reconstruction()
    by_view = {view.id_view: name for view, name in zip(views, scene.names, strict=True)}
    return replace(
        capture,
        reconstruction=replace(
            work,
            descriptors={KIND: descriptors} if descriptors else {},
            matches={KIND: read_matches(matches_file, by_view, counts)} if matches_file else {},
        ),
    )


def _poses(file: Path, content: SfmData, views: list[View]) -> dict[int, Rigid]:
    """`cam_from_world` by row of the views."""
    by_id: dict[int, Rigid] = {}
    for i, entry in enumerate(content.extrinsics):
        place = f"{file}: $.extrinsics[{i}]"
        rotation = rotation_of(np.array(entry.value.rotation), place)
        if entry.key in by_id:
            raise DataError(f"{place}: pose {entry.key} is here twice")
        by_id[entry.key] = Rigid(rotation, -rotation @ np.array(entry.value.center))
    return {row: by_id[view.id_pose] for row, view in enumerate(views) if view.id_pose in by_id}


def _structure(file: Path, content: SfmData, views: list[View]) -> tuple[Points, np.ndarray, np.ndarray]:
    """Points, track and pixels; DataError for an observation in a view that is not there."""
    row_of = {view.id_view: row for row, view in enumerate(views)}
    if len(row_of) != len(views):
        raise DataError(f"{file}: $.views: an id_view is there twice")
    rows, pixels = [], []
    for point, landmark in enumerate(content.structure):
        for i, entry in enumerate(landmark.value.observations):
            if entry.key not in row_of:
                place = f"{file}: $.structure[{point}].value.observations[{i}]"
                raise DataError(f"{place}: view {entry.key} is not among the views")
            rows.append((point, row_of[entry.key], entry.value.id_feat))
            pixels.append(entry.value.x)
    xyz = np.array([landmark.value.X for landmark in content.structure], np.float64).reshape(-1, 3)
    return Points(xyz), np.array(rows, np.int64).reshape(-1, 3), np.array(pixels, np.float64).reshape(-1, 2)


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A folder with sfm_data.json and images/; each sensor is an intrinsic, each image a view with its own pose."""
    scene = scene_of(capture, options)
    known = {sensor: camera for sensor, camera in scene.cameras.items() if camera.is_known}
    numbers = {sensor: number for number, sensor in enumerate(known)}
    content = {
        "sfm_data_version": "0.3",
        "root_path": "images",
        "views": entries(_written_view(scene, row, numbers) for row in range(len(scene.names))),
        "intrinsics": entries(written_camera(s, camera, numbers[s], len(scene.names)) for s, camera in known.items()),
        "extrinsics": [{"key": row, "value": _written_pose(scene.poses[row])} for row in sorted(scene.poses)],
        "structure": entries(_written_points(scene)),
        "control_points": [],
    }
    path.mkdir()
    write_json(path / FILE, content)
    kind = first_type(capture, options.keypoints_type)
    losses = common_losses(capture, keypoints_type=kind, keeps_points=True)
    losses["colours of points"] = 0 if scene.points.rgb is None else len(scene.points)
    if kind is not None and capture.reconstruction:
        losses |= _write_regions(capture.reconstruction, kind, scene, path / "matches", options)
    return counted(losses) + transfer_files(capture.files, scene.names, path / "images", options.transfer)


def _write_regions(
    work: Reconstruction, kind: str, scene: Scene, folder: Path, options: WriteOptions
) -> dict[str, int]:
    """Features and matches, where images have names of their own without folder and suffix; the losses that changes."""
    stems = stems_of(scene.names)
    if stems is None:
        return {"images whose names without folder and suffix are not unique, so without features": len(scene.names)}
    folder.mkdir()
    keypoints, num_matches = work.keypoints[kind], len(work.matches)
    write_regions(folder, keypoints, stems, options.pixel_center - 0.5)
    own = [features for features in work.descriptors.values() if features.keypoints_type == kind]
    sift = [features for features in own if features.dtype == np.uint8 and features.width == SIFT_WIDTH]
    if len(sift) == 1:
        write_descriptors(folder, sift[0], stems)
    scores = 0
    if kind in work.matches:
        write_matches(folder / TEXT, work.matches[kind], {name: row for row, name in enumerate(scene.names)})
        num_matches, scores = num_matches - 1, len(work.matches[kind].pairs)
    return {
        "keypoints that show no point": 0,
        "columns of keypoints after x and y": 0 if keypoints.width == 4 else keypoints.width - 2,
        "types of descriptors": len(work.descriptors) - (len(sift) == 1),
        "types of matches": num_matches,
        "pairs whose matches have scores": scores,
    }


def _written_view(scene: Scene, row: int, numbers: dict[str, int]) -> dict[str, Any]:
    camera, (folder, _, name) = scene.cameras[scene.sensor_of[row]], scene.names[row].rpartition("/")
    view = {
        "local_path": folder, "filename": name, "width": camera.width, "height": camera.height,
        "id_view": row, "id_intrinsic": numbers.get(scene.sensor_of[row], NO_ID),
        "id_pose": row if row in scene.poses else NO_ID,
    }  # fmt: skip
    return {"polymorphic_id": 1 << 30, "ptr_wrapper": wrapped(row, view)}


def _written_pose(pose: Rigid) -> dict[str, Any]:
    return {"rotation": pose.rotation.tolist(), "center": pose.center.tolist()}


def _written_points(scene: Scene) -> list[dict[str, Any]]:
    points = [{"X": xyz, "observations": []} for xyz in scene.points.xyz.tolist()]
    for (point, image, number), pixel in zip(scene.track.tolist(), scene.pixels.tolist(), strict=True):
        points[point]["observations"].append({"key": image, "value": {"id_feat": number, "x": pixel}})
    return points


register(
    Format(
        "openmvg",
        "OpenMVG sfm_data.json; names, intrinsics, poses, points, SIFT features and matches, no colours, times or rigs",
        recognises,
        read,
        write,
        pixel_center=0.0,  # https://github.com/openMVG/openMVG/issues/1271
    )
)
