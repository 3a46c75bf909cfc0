"""VisualSFM's NVM_V3. Keeps names, focal lengths, poses, points, colours, observations; one coefficient of distortion.

A camera is a rotation world to camera (quaternion w x y z) and its centre; pixels have y down. By VisualSFM's manual
measurements are relative to the principal point, which is the image's centre; in the files of Aachen Day-Night they are
absolute. What a file does shows in its numbers, and is remarked: from the centre, some are negative; from the corner,
none is and some are beyond half of the image. The file lacks image sizes: they come from the images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Points
from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ..base import Format, ReadOptions, WriteOptions, register
from ..images import FolderImages
from ..kapture.sensors import NOTED_NORM_ERROR, ZERO_NORM, quaternion_norms
from ..kapture.write import transfer_files
from ..remarks import Remarks
from ..scene import Scene, capture_of, check_names, image_folder, shared_cameras
from ..scene_export import common_losses, counted, first_type, posed_part, scene_of
from ..scene_text import LineReader, check_centred, colours, image_size, measurements
from .lens import camera_from_nvm, distortion_for_nvm

FILE = "model.nvm"
KIND = "nvm"
HEADER = "NVM_V3"
CAMERA_LINE = "name f qw qx qy qz cx cy cz r 0"
POINT_LINE = "x y z red green blue, then the observations"


def recognises(path: Path) -> bool:
    """A file that begins with NVM_V3, or a folder with model.nvm."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(6) == HEADER.encode()


def read(path: Path, options: ReadOptions) -> Capture:
    """The images of the first model, their places as timestamps; further models stand in worlds of their own."""
    file, remarks = path / FILE if path.is_dir() else path, Remarks()
    reader = LineReader(file)
    if (header := reader.text(HEADER)) != HEADER:
        raise reader.refusal("no NVM_V3 without fixed calibration", HEADER, header)
    folders = [options.images] if options.images else [file.parent, file.parent / "images"]
    (count,) = reader.integers(1, "the number of cameras")
    names, cameras, poses = _cameras(reader, count, folders, options, remarks)
    (num_points,) = reader.integers(1, "the number of points") if count or reader.left else (0,)
    points, track, positions = _points(reader, num_points, count)
    _skip_rest(reader, remarks)
    pixels = _pixels(file, track, positions, cameras, remarks)
    scene = Scene(names, *shared_cameras(cameras), poses, points, track, pixels)
    files = FolderImages(options.images) if options.images else image_folder(names, folders)
    return capture_of(scene, KIND, options, files, remarks)


def _cameras(
    reader: LineReader, count: int, folders: list[Path], options: ReadOptions, remarks: Remarks
) -> tuple[list[str], list[Camera], dict[int, Rigid]]:
    names, places, rows = [], [], []
    for _ in range(count):
        fields = reader.text(CAMERA_LINE).rsplit(maxsplit=10)
        if len(fields) != 11:
            raise reader.refusal(f"{len(fields)} fields", f"11: {CAMERA_LINE}", " ".join(fields))
        rows.append(reader.parse(" ".join(fields[1:]), 10, CAMERA_LINE))
        norm = float(quaternion_norms(np.array([rows[-1][1:5]]))[0])
        if not ZERO_NORM <= norm < np.inf:
            raise reader.refusal(f"quaternion of norm {norm:.3g}", "a rotation, norm 1")
        if abs(norm - 1) > NOTED_NORM_ERROR:
            remarks.add(reader.path, "quaternions normalised", first=f"line {reader.line}, norm {norm:.3g}")
        # VisualSFM writes blanks of names as quotation marks.
        names.append(fields[0].strip().replace('"', " ").removeprefix("./"))
        places.append(f":{reader.line}")
    check_names(reader.path, names, places)
    cameras, poses, misfit = [], {}, 0.0
    for row, (name, place, values) in enumerate(zip(names, places, rows, strict=True)):
        where = f"{reader.path}{place}"
        camera, error = camera_from_nvm(where, image_size(where, name, folders, options), values[0], values[8])
        cameras.append(camera)
        misfit = max(misfit, error)
        rotation = Rigid.from_quat_wxyz(np.array(values[1:5]), np.zeros(3)).rotation
        poses[row] = Rigid(rotation, -rotation @ np.array(values[5:8]))
    if misfit > 0:
        remarks.add(reader.path, f"files of inverse distortion, fitted by RADIAL to {misfit:.2g} px at most")
    return names, cameras, poses


def _points(reader: LineReader, count: int, num_images: int) -> tuple[Points, np.ndarray, np.ndarray]:
    """Points, track and positions as the file has them."""
    xyz, rgb, track, positions = [], [], [], []
    for point in range(count):
        values = reader.numbers(None, POINT_LINE)
        if len(values) < 7:
            raise reader.refusal(f"{len(values)} numbers", POINT_LINE)
        xyz.append(values[:3])
        rgb.append(colours(reader, values[3:6]))
        for image, key, x, y in measurements(reader, values[6:], num_images):
            track.append((point, int(image), int(key)))
            positions.append((x, y))
    points = Points(np.array(xyz).reshape(-1, 3), np.array(rgb, np.uint8).reshape(-1, 3))
    return points, np.array(track, np.int64).reshape(-1, 3), np.array(positions, np.float64).reshape(-1, 2)


def _skip_rest(reader: LineReader, remarks: Remarks) -> None:
    """Further models, up to one of 0 cameras, are counted; so are the names of PLY files that may follow."""
    while reader.left and (text := reader.text("a further model")) != "0":
        if not text.isdigit():
            raise reader.refusal("neither a further model nor the end", "a number of cameras, 0 at the end", text)
        remarks.lose(reader.path, "images of further models left out", int(text), f"line {reader.line}")
        for _ in range(int(text)):
            reader.text(CAMERA_LINE)
        for _ in range(reader.integers(1, "the number of points")[0]):
            reader.text(POINT_LINE)
    if reader.left:
        remarks.add(reader.path, "lines after the models left unread", reader.left)


def _pixels(
    file: Path, track: np.ndarray, positions: np.ndarray, cameras: list[Camera], remarks: Remarks
) -> np.ndarray:
    """Positions from the corner of the image."""
    halves = np.array([(camera.width / 2, camera.height / 2) for camera in cameras]).reshape(-1, 2)[track[:, 1]]
    if len(track) and (positions >= 0).all() and (positions > halves).any():
        remarks.add(file, "observations taken as from the corner: none is negative, some beyond half", len(track))
        return positions
    moved: np.ndarray = positions + halves
    return moved


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A folder with model.nvm, measurements relative to the centre, and images/ (sizes are only in the images)."""
    scene, without_pose, dropped = posed_part(scene_of(capture, options))
    lenses = {sensor: _lens(sensor, scene.cameras[sensor]) for sensor in dict.fromkeys(scene.sensor_of)}
    for name in scene.names:
        if '"' in name or name != " ".join(name.split()):
            raise DataError(
                f"image '{name}' cannot be written in NVM: its blanks or quotation marks would not read back"
            )
    path.mkdir()
    with (path / FILE).open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{HEADER}\n\n{len(scene.names)}\n")
        file.writelines(_camera_line(scene, row, lenses[scene.sensor_of[row]][0]) for row in range(len(scene.names)))
        file.write(f"\n{len(scene.points)}\n")
        file.writelines(_point_lines(scene))
        file.write("\n0\n")
    losses = common_losses(capture, keypoints_type=first_type(capture, options.keypoints_type), keeps_points=True)
    losses |= {"images without a pose": without_pose, "observations in images without a pose": dropped}
    losses["points without colour, written black"] = len(scene.points) if scene.points.rgb is None else 0
    misfits = [
        f"distortion of camera '{sensor}': up to {error:.2g} px" for sensor, (_, error) in lenses.items() if error
    ]
    return counted(losses) + misfits + transfer_files(capture.files, scene.names, path / "images", options.transfer)


def _lens(sensor: str, camera: Camera) -> tuple[float, float]:
    check_centred(sensor, camera, "NVM", ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL"))
    return distortion_for_nvm(sensor, camera)


def _camera_line(scene: Scene, row: int, r: float) -> str:
    pose, camera = scene.poses[row], scene.cameras[scene.sensor_of[row]]
    numbers = [camera.focal[0], *pose.quat_wxyz.tolist(), *pose.center.tolist(), r]
    name = scene.names[row].replace(" ", '"')
    return f"{name} {' '.join(repr(float(x)) for x in numbers)} 0\n"


def _point_lines(scene: Scene) -> list[str]:
    rgb = np.zeros((len(scene.points), 3), np.uint8) if scene.points.rgb is None else scene.points.rgb
    seen: list[list[str]] = [[] for _ in range(len(scene.points))]
    for (point, image, key), (x, y) in zip(scene.track.tolist(), scene.pixels.tolist(), strict=True):
        camera = scene.cameras[scene.sensor_of[image]]
        seen[point].append(f" {image} {key} {x - camera.width / 2!r} {y - camera.height / 2!r}")
    return [
        f"{' '.join(map(repr, xyz))} {' '.join(map(str, colour))} {len(own)}{''.join(own)}\n"
        for xyz, colour, own in zip(scene.points.xyz.tolist(), rgb.tolist(), seen, strict=True)
    ]


register(
    Format(
        "nvm",
        "VisualSFM NVM_V3; names, focal lengths, one distortion, poses, points, observations, no times or rigs",
        recognises,
        read,
        write,
    )
)
