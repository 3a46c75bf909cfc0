"""Lists of images, lines `name [MODEL w h params...] [qw qx qy qz tx ty tz]`: names, intrinsics and poses, no times.

The model fixes how many parameters there are, so seven more numbers are a pose, world to camera. A line without a model
takes its intrinsics from `--camera`, or from the image as a folder of images does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..data.capture import GIVEN, Capture, Sensor
from ..data.records import Records, Trajectory
from ..errors import DataError
from ..geometry.camera import CAMERA_PARAMS
from ..geometry.rigid import Rigid
from .base import Format, ReadOptions, WriteOptions, register
from .camera_text import MODELS, format_number, parse_camera, split_camera
from .image_folder import ORIENTATION, sensor_of_header
from .image_header import read_header
from .images import SUFFIXES, FolderImages, unsafe_path
from .kapture.sensors import NOTED_NORM_ERROR, ZERO_NORM, quaternion_norms, remark_norms
from .remarks import Remarks
from .results import check_names
from .scene_export import common_losses, counted
from .text_fields import parse_float, refusal
from .text_lines import data_lines

LINE = "name [MODEL w h params...] [qw qx qy qz tx ty tz]"
POSE = 7


def recognises(path: Path) -> bool:
    """A text file whose first line of data names a camera model, or is an image's name, maybe with a pose."""
    fields = _first_fields(path)
    name = fields[: -POSE if _trailing_numbers(fields) == POSE else None]
    return _model_place(fields) is not None or (len(name) == 1 and Path(name[0]).suffix.lower() in SUFFIXES)


def tells_intrinsics(path: Path) -> bool:
    """Whether the first line of data of a text file names a camera model after an image."""
    return _model_place(_first_fields(path)) is not None


def _first_fields(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        lines = file.read(65536).decode(errors="replace").splitlines()
    return next((line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")), [])


def read(path: Path, options: ReadOptions) -> Capture:
    """The images in the order of the list (timestamps are places in it); equal intrinsics share a sensor.

    Images are looked for in `options.images`, else beside the list. DataError with file and line for anything unclear.
    """
    ids: dict[Sensor, str] = {}
    rows: list[tuple[int, str, str]] = []
    seen: dict[str, int] = {}
    numbers: dict[int, list[float]] = {}
    files, remarks = FolderImages(options.images or path.parent), Remarks()
    for line, text in data_lines(path):
        name, words, pose = _split(path, line, text)
        if name in seen:
            raise refusal(path, line, f"'{name}' is here twice, also in line {seen[name]}")
        seen[name] = line
        sensor = _listed(path, line, words, options) if words else _of_image(path, line, files, name, options, remarks)
        if pose:
            numbers[len(rows)] = pose
        rows.append((len(rows), ids.setdefault(sensor, f"camera{len(ids)}"), name))
    poses = _poses(path, list(seen.values()), numbers, remarks)
    return Capture(
        {sensor_id: sensor for sensor, sensor_id in ids.items()},
        Records.from_rows(rows),
        Trajectory.from_rows([(row, rows[row][1], pose) for row, pose in poses.items()]),
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _split(path: Path, line: int, text: str) -> tuple[str, list[str], list[float]]:
    """Name, words of the intrinsics and numbers of the pose, empty where there are none.

    The last word that is a camera model ends the name, blanks and all.
    """
    fields = text.split()
    place, count = _model_place(fields), _trailing_numbers(fields)
    expected = 0 if place is None else len(CAMERA_PARAMS.get(fields[place], ())) + 2
    has_pose = count == expected + POSE and (place is None or len(fields) - place - 1 == count)
    if place is None and count and not has_pose:
        raise refusal(path, line, f"no camera model before {count} numbers, which are no pose of {POSE}", LINE, text)
    name = _before(text, len(fields) - (POSE if has_pose else 0) if place is None else place)
    if reason := unsafe_path(name):
        raise refusal(path, line, reason, found=name)
    try:
        pose = [parse_float(field) for field in fields[-POSE:]] if has_pose else []
    except ValueError as error:
        raise refusal(path, line, str(error), LINE, text) from None
    return name, [] if place is None else fields[place : -POSE if has_pose else None], pose


def _model_place(fields: list[str]) -> int | None:
    return next((i for i in range(len(fields) - 1, 0, -1) if fields[i] in MODELS), None)


def _trailing_numbers(fields: list[str]) -> int:
    """How many words after the first are numbers at the end, those that are refused later (nan) among them."""
    count = 0
    for field in reversed(fields[1:]):
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def _before(text: str, count: int) -> str:
    """The first `count` words with the blanks between them."""
    words = text.split()
    rest = text
    for word in reversed(words[count:]):
        rest = rest.rstrip().removesuffix(word)
    return rest.rstrip()


def _listed(path: Path, line: int, words: list[str], options: ReadOptions) -> Sensor:
    """The sensor of a line with intrinsics."""
    try:
        return Sensor("camera", camera=parse_camera(words).shifted(0.5 - options.pixel_center))
    except ValueError as error:
        raise refusal(path, line, str(error), LINE) from None


def _of_image(path: Path, line: int, files: FolderImages, name: str, options: ReadOptions, remarks: Remarks) -> Sensor:
    """The sensor of a line without intrinsics: `options.camera` where it tells the size, else the image has to."""
    with suppress(ValueError):
        camera = parse_camera(split_camera(options.camera or ""))
        return Sensor("camera", camera=camera.shifted(0.5 - options.pixel_center), focal_source=GIVEN)
    try:
        header = read_header(files.path(name), name)
    except DataError as error:
        hint = "give --images, or --camera MODEL,w,h,..."
        raise refusal(path, line, f"no camera model, and no image to tell it: {error}", LINE, hint=hint) from None
    if header.orientation != 1:
        remarks.add(files.root, ORIENTATION, first=name)
    return sensor_of_header(header, options, files.root / name, remarks)


def _poses(path: Path, lines: list[int], numbers: dict[int, list[float]], remarks: Remarks) -> dict[int, Rigid]:
    """`cam_from_world` by row; quaternions are normalised, with a remark where that changes them."""
    values = np.array(list(numbers.values()), np.float64).reshape(-1, 7)
    norms = quaternion_norms(values[:, :4])
    for row, norm in zip(numbers, norms.tolist(), strict=True):
        if not ZERO_NORM <= norm < np.inf:
            raise refusal(path, lines[row], f"quaternion of norm {norm:.3g}", "a rotation, norm 1")
        if abs(norm - 1) > NOTED_NORM_ERROR:
            remark_norms(remarks, path, 1, lines[row], norm)
    poses = Rigid.from_quat_wxyz(values[:, :4], values[:, 4:])
    return {row: poses[place] for place, row in enumerate(numbers)}


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """All images with their intrinsics, and poses where there are any; numbers read back exactly."""
    names, shift = capture.images.names, options.pixel_center - 0.5
    check_names(path, names)
    for name in names:
        if reason := unsafe_path(name):
            raise DataError(f"image '{name}' cannot be written: {reason}")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"# {LINE}\n")
        for name, pose in zip(names, _written_poses(capture), strict=True):
            camera = capture.camera(name).shifted(shift)
            fields = [camera.model, str(camera.width), str(camera.height), *map(format_number, camera.params), *pose]
            file.write(f"{name} {' '.join(fields)}\n")
    losses = common_losses(capture, keypoints_type=None, keeps_points=False)
    losses["guessed focal lengths, written like known ones"] = sum(
        s.has_guessed_focal for s in capture.sensors.values()
    )
    losses["image files, which are not copied"] = len(names)
    return counted(losses)


def _written_poses(capture: Capture) -> Iterator[list[str]]:
    """Quaternion and translation of each image; nothing for one without pose."""
    poses = capture.cam_from_world
    numbers = np.hstack([poses.quat_wxyz, poses.translation]).tolist()
    for row, has_pose in zip(numbers, capture.has_pose.tolist(), strict=True):
        yield list(map(repr, row)) if has_pose else []


register(
    Format(
        "list",
        f"text lines `{LINE}`; names, intrinsics and poses, no times, points or features",
        recognises,
        read,
        write,
    )
)
