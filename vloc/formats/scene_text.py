"""Lines of numbers, one after another, as Bundler and NVM files have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..geometry.camera import Camera
from ..regular_file import is_regular
from .base import ReadOptions
from .camera_text import parse_camera, split_camera
from .image_header import read_header
from .images import FolderImages
from .text_fields import parse_floats, refusal
from .text_lines import lines_of

MAX_KEY = 2**31 - 1
CENTRED_PX = 1e-6


class LineReader:
    """The lines of a file that are not blank, in order; every refusal names the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = [(number, text.strip()) for number, text in enumerate(lines_of(path), start=1) if text.strip()]
        self._next = 0

    @property
    def left(self) -> int:
        """How many lines are still to come."""
        return len(self._lines) - self._next

    @property
    def line(self) -> int:
        """The number of the line that was taken last."""
        return self._lines[self._next - 1][0]

    def text(self, expected: str) -> str:
        """The next line; DataError where the file ends."""
        if self.left == 0:
            raise refusal(self.path, self._lines[-1][0] if self._lines else None, "the file ends here", expected)
        self._next += 1
        return self._lines[self._next - 1][1]

    def numbers(self, count: int | None, expected: str) -> list[float]:
        """The numbers of the next line, `count` of them."""
        return self.parse(self.text(expected), count, expected)

    def parse(self, text: str, count: int | None, expected: str) -> list[float]:
        """The numbers of a text of the current line."""
        fields = text.split()
        if count is not None and len(fields) != count:
            raise self.refusal(f"{len(fields)} fields", f"{count}: {expected}", text)
        try:
            return parse_floats(fields)
        except ValueError as error:
            raise self.refusal(str(error), expected, text) from None

    def integers(self, count: int, expected: str) -> list[int]:
        """The whole numbers, not negative, of the next line."""
        values = self.numbers(count, expected)
        if any(value != int(value) or value < 0 or value > 2**53 for value in values):
            raise self.refusal("not all whole numbers from 0 up", expected, " ".join(map(str, values)))
        return [int(value) for value in values]

    def refusal(self, what: str, expected: str = "", found: str = "") -> DataError:
        """The error that names the current line."""
        return refusal(self.path, self.line, what, expected, found)


def measurements(reader: LineReader, values: Sequence[float], num_images: int) -> list[list[float]]:
    """Rows (image, key, x, y) of a list that begins with its length."""
    count = int(values[0]) if values else -1
    if not values or count != values[0] or len(values) != 1 + 4 * count:
        raise reader.refusal(f"{len(values)} numbers", "the count n of observations, then n times image, key, x, y")
    rows = [list(values[i : i + 4]) for i in range(1, len(values), 4)]
    for image, key, _, _ in rows:
        if image != int(image) or not 0 <= image < num_images or key != int(key) or not 0 <= key <= MAX_KEY:
            raise reader.refusal(
                f"observation of key {key:g} in image {image:g}",
                f"whole numbers, keys from 0 to {MAX_KEY}, images to {num_images - 1}",
            )
    return rows


def colours(reader: LineReader, values: Sequence[float]) -> list[int]:
    """Red, green and blue from 0 to 255."""
    if any(value != int(value) or not 0 <= value <= 255 for value in values):
        raise reader.refusal(f"colour {[*values]}", "three whole numbers from 0 to 255")
    return [int(value) for value in values]


def image_size(place: str, name: str, folders: Sequence[Path], options: ReadOptions) -> tuple[int, int]:
    """Width and height, which these files lack: of the image, else of `options.camera`."""
    for folder in folders:
        path = FolderImages(folder).path(name)
        if is_regular(path):
            header = read_header(path, name)
            return header.width, header.height
    if options.camera is None:
        raise DataError(f"{place}: the file does not tell the size of '{name}', and the image is not in {folders[0]}; "
                        "give --images, or --camera MODEL,w,h,... for the size")  # fmt: skip
    try:
        camera = parse_camera(split_camera(options.camera))
    except ValueError as error:
        raise DataError(f"--camera '{options.camera}': {error}") from None
    return camera.width, camera.height


def check_centred(sensor: str, camera: Camera, form: str, models: Sequence[str]) -> None:
    """DataError unless a camera has one focal length, its principal point in the centre and one of the models."""
    offset = np.subtract(camera.principal_point, (camera.width / 2, camera.height / 2))
    if camera.model not in models or camera.focal[0] != camera.focal[1] or np.abs(offset).max() > CENTRED_PX:
        raise DataError(
            f"camera '{sensor}': {camera.model} {camera.params}, {form} holds only {', '.join(models)} of one focal "
            "length with the principal point in the image's centre; undistort the images first"
        )
