"""nerfstudio and instant-ngp `transforms.json`. Keeps names, intrinsics and poses; loses times, rigs, features.

Points are written, with colours, to `sparse_pc.ply` beside it, which splatting tools start from; it is not read.

Poses are camera to world with OpenGL axes (x right, y up, z back). `applied_transform` and `applied_scale`, which say
how the world was moved, are undone. Principal points count from the corner of the image, the first centre at 0.5.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Points, Reconstruction
from ...errors import DataError
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, WriteOptions, register
from ..images import FolderImages
from ..json_text import Number, read_json, write_json
from ..kapture.write import transfer_files
from ..ply import point_cloud
from ..remarks import Remarks
from ..scene import Scene, capture_of, check_names, rotation_of, shared_cameras
from ..scene_export import check_finite, common_losses, counted, scene_of
from .camera import Intrinsics, camera_of, written_camera

FILE, POINTS_FILE = "transforms.json", "sparse_pc.ply"
# From OpenGL's camera axes to ours; its own inverse.
FLIP = np.diag([1.0, -1.0, -1.0])

Matrix = Annotated[list[tuple[Number, Number, Number, Number]], msgspec.Meta(min_length=3, max_length=4)]


class Frame(Intrinsics, kw_only=True):
    """One image; intrinsics here go before those of the file."""

    file_path: str
    transform_matrix: Matrix


class Transforms(Intrinsics, kw_only=True):
    """What is read of the file; other keys are for training and left alone."""

    frames: list[Frame]
    applied_transform: Matrix | None = None
    applied_scale: Annotated[float, msgspec.Meta(ge=1e-12, le=1e12)] = 1.0


def json_file(path: Path) -> Path:
    """The file itself, or the one in a folder."""
    return path / FILE if path.is_dir() else path


def recognises(path: Path) -> bool:
    """A `transforms*.json`, or a folder that holds `transforms.json`."""
    file = json_file(path)
    return file.is_file() and file.name.startswith("transforms") and file.suffix == ".json"


def read(path: Path, options: ReadOptions) -> Capture:
    """The frames in the order of the file, their places as timestamps; equal intrinsics share a sensor."""
    file, remarks = json_file(path), Remarks()
    content = read_json(file, Transforms)
    names, root = _names(file, content, options)
    files = FolderImages(root)
    cameras = [
        camera_of(f"{file}: $.frames[{i}]", frame, content, files, name)
        for i, (frame, name) in enumerate(zip(content.frames, names, strict=True))
    ]
    world = _world_from_file(file, content, remarks)
    poses = {row: _pose(file, row, frame, world, content.applied_scale) for row, frame in enumerate(content.frames)}
    scene = Scene(names, *shared_cameras(cameras), poses)
    return capture_of(scene, "nerfstudio", options, files if root.is_dir() else None, remarks)


def _names(file: Path, content: Transforms, options: ReadOptions) -> tuple[list[str], Path]:
    """Image names and the folder they are in: `images/` beside the file where all paths begin so."""
    paths = [frame.file_path.removeprefix("./") for frame in content.frames]
    check_names(file, paths, [f": $.frames[{i}].file_path" for i in range(len(paths))])
    inside = bool(paths) and all(path.startswith("images/") for path in paths)
    names = [path.removeprefix("images/") if inside else path for path in paths]
    check_names(file, names, [f": $.frames[{i}].file_path" for i in range(len(paths))])
    return names, options.images or (file.parent / "images" if inside else file.parent)


def _world_from_file(file: Path, content: Transforms, remarks: Remarks) -> Rigid:
    """The inverse of `applied_transform`."""
    if content.applied_scale != 1:
        remarks.add(file, f"scale of the world undone: applied_scale {content.applied_scale}")
    if content.applied_transform is None:
        return Rigid.identity()
    matrix = np.array(content.applied_transform)
    rotation = rotation_of(matrix[:3, :3], f"{file}: $.applied_transform")
    remarks.add(file, "motion of the world undone: applied_transform")
    return Rigid(rotation, matrix[:3, 3]).inverse()


def _pose(file: Path, row: int, frame: Frame, world_from_file: Rigid, scale: float) -> Rigid:
    """`cam_from_world` of a frame; nerfstudio scales after it moves, so that is undone first."""
    matrix, place = np.array(frame.transform_matrix), f"{file}: $.frames[{row}].transform_matrix"
    if len(matrix) == 4 and not np.array_equal(matrix[3], [0, 0, 0, 1]):
        raise DataError(f"{place}: last row {matrix[3].tolist()}, expected 0, 0, 0, 1")
    rotation = rotation_of(matrix[:3, :3], place)
    if not np.isfinite(matrix).all():
        raise DataError(f"{place}: numbers that are not finite")
    return (world_from_file @ Rigid(rotation @ FLIP, matrix[:3, 3] / scale)).inverse()


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A folder with transforms.json, sparse_pc.ply and images/ of posed frames; intrinsics stand with each of them."""
    scene = scene_of(capture, options, with_points=False)
    work = capture.reconstruction or Reconstruction()
    cloud = _colored(work.points) if work.points is not None and len(work.points) else None
    frames = [_frame(scene, row) for row in sorted(scene.poses)]
    path.mkdir()
    write_json(path / FILE, {"frames": frames, **({} if cloud is None else {"ply_file_path": POINTS_FILE})})
    if cloud is not None:
        (path / POINTS_FILE).write_bytes(point_cloud(cloud))
    names = [scene.names[row] for row in sorted(scene.poses)]
    losses = common_losses(capture, keypoints_type=None, keeps_points=True)
    losses["points without colour, written black"] = len(cloud) if cloud and cloud is not work.points else 0
    lost = counted({"images without a pose": len(scene.names) - len(frames), **losses})
    return lost + transfer_files(capture.files, names, path / "images", options.transfer)


def _colored(points: Points) -> Points:
    """Finite points with colours: readers of the file count on them."""
    check_finite(points)
    return points if points.rgb is not None else replace(points, rgb=np.zeros((len(points), 3), np.uint8))


def _frame(scene: Scene, row: int) -> dict[str, object]:
    world_from_cam, sensor = scene.poses[row].inverse(), scene.sensor_of[row]
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = world_from_cam.rotation @ FLIP, world_from_cam.translation
    camera = written_camera(sensor, scene.cameras[sensor])
    return {"file_path": f"images/{scene.names[row]}", **camera, "transform_matrix": matrix.tolist()}


register(
    Format(
        "nerfstudio",
        "nerfstudio or instant-ngp transforms.json; names, intrinsics, poses, points when written, no times or rigs",
        recognises,
        read,
        write,
    )
)
