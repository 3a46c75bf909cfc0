"""Lists of images, a line `name MODEL w h params...` each. Keeps names and intrinsics; there are no poses or times."""

from __future__ import annotations

from pathlib import Path

from ..data.capture import Capture, Sensor
from ..data.records import Records
from ..geometry.camera import Camera
from .base import Format, ReadOptions, register
from .camera_text import MODELS, parse_camera, split_camera
from .images import FolderImages, unsafe_path
from .text_fields import refusal
from .text_lines import data_lines

LINE = "name MODEL w h params..."


def recognises(path: Path) -> bool:
    """A text file whose first line of data names a camera model after an image."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(65536)
    for line in start.decode(errors="replace").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return any(field in MODELS for field in line.split()[1:])
    return False


def read(path: Path, options: ReadOptions) -> Capture:
    """The images in the order of the list (timestamps are places in it); equal intrinsics share a sensor.

    `options.camera` serves lines without intrinsics. Images are looked for in `options.images`, else beside the list.
    """
    cameras: dict[Camera, str] = {}
    rows: list[tuple[int, str, str]] = []
    seen: dict[str, int] = {}
    for line, text in data_lines(path):
        name, camera = _parse(path, line, text, options)
        if name in seen:
            raise refusal(path, line, f"'{name}' is here twice, also in line {seen[name]}")
        seen[name] = line
        rows.append((len(rows), cameras.setdefault(camera, f"camera{len(cameras)}"), name))
    sensors = {sensor: Sensor("camera", camera=camera) for camera, sensor in cameras.items()}
    files = FolderImages(options.images or path.parent)
    return Capture(sensors, Records.from_rows(rows), files=files, pixel_center=options.pixel_center)


def _parse(path: Path, line: int, text: str, options: ReadOptions) -> tuple[str, Camera]:
    """Image name and intrinsics of a line; the last word that is a camera model ends the name, blanks and all."""
    fields = text.split()
    place = next((i for i in range(len(fields) - 1, 0, -1) if fields[i] in MODELS), None)
    if place is None and options.camera is None:
        raise refusal(path, line, "no camera model", LINE, text, hint="or give --camera for all images")
    name = text if place is None else _before(text, fields[place])
    words = split_camera(options.camera or "") if place is None else fields[place:]
    if reason := unsafe_path(name):
        raise refusal(path, line, reason, found=name)
    try:
        return name, parse_camera(words).shifted(0.5 - options.pixel_center)
    except ValueError as error:
        raise refusal(path, line, str(error), LINE) from None


def _before(text: str, word: str) -> str:
    """The text before the last occurrence of a whole word."""
    parts = text.split(" ") if "\t" not in text else text.replace("\t", " ").split(" ")
    place = len(parts) - 1 - parts[::-1].index(word)
    return " ".join(parts[:place]).strip()


FORMAT = register(
    Format("list", "text lines `name MODEL w h params...`; names and intrinsics, no poses", recognises, read)
)
