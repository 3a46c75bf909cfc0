"""Image files: where they are, and the gate that every image is decoded through."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..array_types import UInt8
from ..errors import DataError
from ..geometry.camera import Camera
from ..regular_file import read_regular, resolved
from .heif import INSTALL_HEIF, heif_image, is_heif
from .quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 200_000_000
LONGEST_PART = 255
"""bytes of the name of a file or folder, in all file systems in use"""
SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".jp2", ".avif"]
)
# Only what Pillow decodes by itself: no EPS (it runs ghostscript), no PDF, no plugins of other packages.
_PILLOW_FORMATS = {
    "JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "WebP", "BMP": "Bmp", "GIF": "Gif", "PPM": "Ppm",
    "JPEG2000": "Jpeg2K", "AVIF": "Avif",
}  # fmt: skip
# What Pillow's plugins raise on bytes that are no image or break off.
_BROKEN = (OSError, SyntaxError, ValueError, IndexError, TypeError, KeyError, EOFError, struct.error, OverflowError)


@dataclass(frozen=True)
class FolderImages:
    """Image files of a folder, by their path in it. Nothing outside the folder is ever read."""

    root: Path

    def read(self, name: str) -> bytes:
        """The encoded image; DataError names it when it is missing or out of bounds."""
        try:
            return read_regular(self.path(name))
        except OSError as error:
            raise DataError(f"{self.root / name}: {error.strerror or error}") from None

    def stamp(self, name: str) -> str:
        """Size and modification time, or 'missing'."""
        try:
            status = self.path(name).stat()
        except (OSError, DataError):
            return "missing"
        return f"{status.st_size}-{status.st_mtime_ns}" if S_ISREG(status.st_mode) else "missing"

    def path(self, name: str) -> Path:
        """The file of a name; DataError where the name, or a symbolic link, leaves the folder."""
        if reason := unsafe_path(name):
            raise DataError(f"{self.root}: image '{name!r}': {reason}")
        path = self.root / name
        if not resolved(path).is_relative_to(self._resolved_root):
            raise DataError(f"{path}: a symbolic link leads out of {self.root}")
        return path

    def lack(self, name: str) -> str:
        """Why a file cannot be had, as a count of such files goes on: `missing in the source`; empty where it can."""
        try:
            path = self.path(name)
            status = path.stat()
        except DataError:
            return f"symbolic links that lead out of {self.root}"
        except (FileNotFoundError, NotADirectoryError):
            return "missing in the source"
        except OSError as error:
            return str(error.strerror)
        if not S_ISREG(status.st_mode):
            return "no regular files"
        return "" if os.access(path, os.R_OK) else "permission denied"

    @cached_property
    def _resolved_root(self) -> Path:
        return resolved(self.root)


def unsafe_path(name: str) -> str | None:
    """Why a relative path from a file may not be used, or None."""
    if not name:
        return "empty path"
    if any(character in name for character in "\0\n\r"):
        return "control character in the path"
    if name.startswith("/"):
        return "absolute path, expected one relative to the image folder"
    if ".." in name and ".." in name.split("/"):
        return "'..' leads out of the image folder"
    longest = max(len(part.encode(errors="surrogatepass")) for part in name.split("/"))
    if longest > LONGEST_PART:
        return f"a part of {longest:,} bytes, and file systems hold at most {LONGEST_PART}"
    return None


def first_unsafe(names: Sequence[str]) -> tuple[int, str] | None:
    """The place of the first path that may not be used, with the reason."""
    text = "\n" + "\n".join(names) + "\n"
    signs = any(sign in text for sign in ("\n/", "..", "\n\n", "\0", "\r"))
    # A character has at most four bytes.
    if not signs and text.count("\n") == len(names) + 1 and max(map(len, names), default=0) <= LONGEST_PART // 4:
        return None
    reasons = ((index, unsafe_path(name)) for index, name in enumerate(names))
    return next(((index, reason) for index, reason in reasons if reason), None)


def decode(
    data: bytes, name: str, *, color: bool, min_size: int | None = None, max_pixels: int = MAX_PIXELS
) -> UInt8[np.ndarray, "h w ..."]:
    """Pixels of an encoded image as stored: (h, w) grey, or (h, w, 3) RGB with `color`.

    Alpha is ignored, 16 bits become the upper 8, of several frames the first is taken, EXIF orientation is not
    applied. With `min_size` a JPEG may come out smaller, its longer side still at least `min_size` px. DataError for
    data that breaks off, is no image or has more than `max_pixels`. Bytes after the image are ignored.
    """
    image = open_image(io.BytesIO(data), name)
    width, height = image.size
    if width * height > max_pixels:
        raise DataError(f"{name}: image of {width} x {height} px, expected at most {max_pixels} in all")
    _draft(image, color, min_size)
    try:
        image.load()
        return _to_uint8(image, name, color)
    except _BROKEN as error:
        raise DataError(f"{name}: broken image: {error}") from None


def check_size(pixels: UInt8[np.ndarray, "h w ..."], camera: Camera, name: str) -> None:
    """DataError unless an image has the size that its camera's intrinsics are for."""
    height, width = pixels.shape[:2]
    if (width, height) != (camera.width, camera.height):
        raise DataError(f"{name}: image of {width} x {height} px, its camera says {camera.width} x {camera.height}")


def open_image(file: BinaryIO, name: str) -> Image:
    """An image of which only the header is read; the file must stay open as long as the image.

    Pillow's own `open` warns of, then refuses, large images by a limit that is global to the process, and imports all
    plugins; so those of the formats above are called here, and `decode` has the limit.
    """
    from PIL import Image

    start = file.read(64)
    if not start:
        raise DataError(f"{name}: empty file, expected an image")
    if is_heif(start):
        return _open_heif(file, name)
    for form, plugin in _PILLOW_FORMATS.items():
        import_module(f"PIL.{plugin}ImagePlugin")
        factory, accept = Image.OPEN.get(form, (None, None))
        if factory is not None and (accept is None or accept(start[:16]) is True):
            return _header(factory, file, form, name)
    raise DataError(f"{name}: not an image of a known kind ({', '.join(_PILLOW_FORMATS)})")


def _header(factory: Callable[[BinaryIO, str], Image], file: BinaryIO, form: str, name: str) -> Image:
    from PIL.Image import DecompressionBombError

    file.seek(0)
    try:
        with quiet():
            image = factory(file, "")
            if form == "TIFF":
                image.getexif()  # again, with the same warnings, when pixels are loaded, unless it is there
            return image
    except (*_BROKEN, DecompressionBombError) as error:
        raise DataError(f"{name}: broken {form} image: {error or 'cannot read its header'}") from None


def _open_heif(file: BinaryIO, name: str) -> Image:
    """A HEIC image, whose pixels come out as its container turns them."""
    factory = heif_image()
    if factory is None:
        raise DataError(f"{name}: HEIC images need a decoder: {INSTALL_HEIF}")
    return _header(factory, file, "HEIC", name)


def _draft(image: Image, color: bool, min_size: int | None) -> None:
    """Tell a JPEG decoder to give luma alone, or a smaller image, where that is wanted and cheaper."""
    width, height = image.size
    longer = max(width, height)
    if min_size is not None and min_size < longer:
        # Both sides must stay at least as long as asked for, so the shorter is rounded down.
        width, height = (max(side * min_size // longer, 1) for side in (width, height))
    image.draft("RGB" if color else "L", (width, height))


def _to_uint8(image: Image, name: str, color: bool) -> np.ndarray:
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        grey = _deep_grey(np.array(image), mode, name)
        return np.repeat(grey[..., None], 3, axis=2) if color else grey
    if mode in ("LA", "La", "1"):
        image = image.convert("L")
    elif mode not in ("L", "RGB"):
        # Not straight to L: a palette's or CMYK's grey should be the grey of the colours it shows.
        image = image.convert("RGB")
    wanted = "RGB" if color else "L"
    return np.array(image if image.mode == wanted else image.convert(wanted))


def _deep_grey(values: np.ndarray, mode: str, name: str) -> np.ndarray:
    """8 bits of a deeper grey image: the upper 8 of 16; floats must go from 0 to 1, as no other range is known."""
    low, high, limit = values.min(), values.max(), 1 if mode == "F" else 65535
    if not (low >= 0 and high <= limit):
        raise DataError(f"{name}: grey values from {low} to {high} (mode {mode}), expected 0 to {limit}")
    eight: np.ndarray = np.rint(values * 255) if mode == "F" else values.astype(np.int64) >> 8
    return eight.astype(np.uint8)
