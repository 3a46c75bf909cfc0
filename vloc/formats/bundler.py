"""Bundler's `bundle.out` v0.3 with its list of images. Keeps names, intrinsics, poses, points, colours, observations.

Cameras look along -z with y up, pixels count from the image's centre with y up (Snavely et al. 2006, Bundler's
manual). A focal length of 0 is an image without pose. The file lacks image sizes: they come from the images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.capture import Capture
from ..data.reconstruction import Points
from ..errors import DataError
from ..geometry.camera import UNKNOWN, Camera
from ..geometry.rigid import Rigid
from .base import Format, ReadOptions, WriteOptions, register
from .images import FolderImages
from .kapture.write import transfer_files
from .remarks import Remarks
from .scene import Scene, capture_of, check_names, image_folder, rotation_of, shared_cameras
from .scene_export import common_losses, counted, first_type, scene_of
from .scene_text import LineReader, check_centred, colours, image_size, measurements
from .text_lines import lines_of

FILE, LIST = "bundle.out", "list.txt"
KIND = "bundler"
HEADER = "# Bundle file v0.3"
# From Bundler's camera axes, y up and z back, to ours.
FLIP = np.array([1.0, -1.0, -1.0])


def bundle_file(path: Path) -> Path:
    """The file itself, or the one in a folder."""
    return path / FILE if path.is_dir() else path


def recognises(path: Path) -> bool:
    """A file that begins as bundle files do, or a folder with bundle.out."""
    file = bundle_file(path)
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(13) == b"# Bundle file"


def read(path: Path, options: ReadOptions) -> Capture:
    """The images in the order of the list, their places as timestamps; equal intrinsics share a sensor."""
    file, remarks = bundle_file(path), Remarks()
    reader = LineReader(file)
    if reader.text(HEADER) != HEADER:
        raise reader.refusal("not a bundle file of a known version", HEADER)
    num_cameras, num_points = reader.integers(2, "numbers of cameras and points")
    names, places, list_file = _names(file, num_cameras)
    folders = [options.images] if options.images else [list_file.parent, list_file.parent / "images"]
    cameras, poses = [], {}
    for row, name in enumerate(names):
        camera, pose = _camera(reader, image_size(f"{list_file}{places[row]}", name, folders, options))
        cameras.append(camera)
        if pose is not None:
            poses[row] = pose
    points, track, pixels = _points(reader, num_points, cameras, remarks)
    if reader.left:
        reader.text("")
        raise reader.refusal("more lines than the file says", "the end of the file")
    scene = Scene(names, *shared_cameras(cameras), poses, points, track, pixels)
    files = FolderImages(options.images) if options.images else image_folder(names, folders)
    return capture_of(scene, KIND, options, files, remarks)


def _names(file: Path, count: int) -> tuple[list[str], list[str], Path]:
    """Image names, each the first of a line's words where `0 focal` follows; their lines, `:1`; where the list is."""
    looked = [file.with_suffix(".list.txt"), file.parent / LIST, file.parent.parent / LIST]
    found = next((place for place in looked if place.is_file()), None)
    if found is None:
        raise DataError(f"{file}: no list of images: looked for {', '.join(map(str, looked))}")
    lines = [(number, text.split()) for number, text in enumerate(lines_of(found), start=1) if text.strip()]
    names = [
        (words[0] if len(words) == 3 and words[1] == "0" else " ".join(words)).removeprefix("./") for _, words in lines
    ]
    if len(names) != count:
        raise DataError(f"{found}: {len(names)} images, {file.name} has {count} cameras")
    places = [f":{number}" for number, _ in lines]
    check_names(found, names, places)
    return names, places, found


def _camera(reader: LineReader, size: tuple[int, int]) -> tuple[Camera, Rigid | None]:
    """Intrinsics and `cam_from_world` from five lines."""
    width, height = size
    focal, k1, k2 = reader.numbers(3, "f k1 k2 of a camera")
    place = f"{reader.path}:{reader.line}"
    rows = np.array([reader.numbers(3, "a row of a rotation") for _ in range(3)])
    translation = np.array(reader.numbers(3, "a translation"))
    if focal == 0:
        return Camera(UNKNOWN, width, height), None
    try:
        camera = Camera("RADIAL", width, height, (focal, width / 2, height / 2, k1, k2))
    except ValueError as error:
        raise DataError(f"{place}: {error}") from None
    if k1 == k2 == 0:
        camera = Camera("SIMPLE_PINHOLE", width, height, camera.params[:3])
    return camera, Rigid(rotation_of(rows, place) * FLIP[:, None], translation * FLIP)


def _points(
    reader: LineReader, count: int, cameras: list[Camera], remarks: Remarks
) -> tuple[Points, np.ndarray, np.ndarray]:
    """Points, track and pixels."""
    xyz, rgb, track, pixels = [], [], [], []
    for point in range(count):
        xyz.append(reader.numbers(3, "the position of a point"))
        rgb.append(colours(reader, reader.numbers(3, "the colour of a point")))
        for image, key, x, y in measurements(reader, reader.numbers(None, "observations"), len(cameras)):
            camera = cameras[int(image)]
            track.append((point, int(image), int(key)))
            pixels.append((camera.width / 2 + x, camera.height / 2 - y))
            if not (abs(x) <= camera.width and abs(y) <= camera.height):
                remarks.add(reader.path, "observations far outside of their images", first=f"line {reader.line}")
    points = Points(np.array(xyz).reshape(-1, 3), np.array(rgb, np.uint8).reshape(-1, 3))
    return points, np.array(track, np.int64).reshape(-1, 3), np.array(pixels, np.float64).reshape(-1, 2)


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A folder with bundle.out, list.txt and images/ (sizes are only in the images)."""
    scene = scene_of(capture, options)
    for sensor in {scene.sensor_of[row] for row in scene.poses}:
        check_centred(
            sensor, scene.cameras[sensor], "Bundler", ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL")
        )
    for name in scene.names:
        if name != " ".join(name.split()) or not name or name.split()[1:2] == ["0"]:
            raise DataError(f"image '{name}' cannot be written in {LIST}: its blanks would not read back")
    path.mkdir()
    (path / LIST).write_text("".join(f"{name}\n" for name in scene.names), encoding="utf-8")
    with (path / FILE).open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{HEADER}\n{len(scene.names)} {len(scene.points)}\n")
        file.writelines(_camera_lines(scene, row) for row in range(len(scene.names)))
        file.writelines(_point_lines(scene))
    losses = common_losses(capture, keypoints_type=first_type(capture, options.keypoints_type), keeps_points=True)
    losses["intrinsics of images without pose"] = len(scene.names) - len(scene.poses)
    losses["points without colour, written black"] = len(scene.points) if scene.points.rgb is None else 0
    return counted(losses) + transfer_files(capture.files, scene.names, path / "images", options.transfer)


def _camera_lines(scene: Scene, row: int) -> str:
    if row not in scene.poses:
        return "0 0 0\n" * 5
    camera, pose = scene.cameras[scene.sensor_of[row]], scene.poses[row]
    intrinsics = [camera.focal[0], *camera.distortion, 0.0, 0.0][:3]
    rows = [intrinsics, *(pose.rotation * FLIP[:, None]).tolist(), (pose.translation * FLIP).tolist()]
    return "".join(f"{' '.join(repr(float(x)) for x in values)}\n" for values in rows)


def _point_lines(scene: Scene) -> list[str]:
    rgb = np.zeros((len(scene.points), 3), np.uint8) if scene.points.rgb is None else scene.points.rgb
    seen: list[list[str]] = [[] for _ in range(len(scene.points))]
    for (point, image, key), (x, y) in zip(scene.track.tolist(), scene.pixels.tolist(), strict=True):
        camera = scene.cameras[scene.sensor_of[image]]
        seen[point].append(f" {image} {key} {x - camera.width / 2!r} {camera.height / 2 - y!r}")
    return [
        f"{' '.join(map(repr, xyz))}\n{' '.join(map(str, colour))}\n{len(own)}{''.join(own)}\n"
        for xyz, colour, own in zip(scene.points.xyz.tolist(), rgb.tolist(), seen, strict=True)
    ]


register(
    Format(
        "bundler",
        "Bundler's bundle.out with list.txt; names, intrinsics, poses, points and observations, no times or rigs",
        recognises,
        read,
        write,
    )
)
