"""What an image file says of itself before it is decoded: size, EXIF orientation and focal length."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import DataError
from ..geometry.camera import MAX_SIDE
from ..regular_file import open_regular
from .gps import Position, exif_position
from .images import open_image
from .quiet import quiet

# EXIF tags, by their numbers in the standard (CIPA DC-008).
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _ORIENTATION, _LENS, _ZOOM = 0x010F, 0x0110, 0x0112, 0xA434, 0xA404
_FOCAL_MM, _FOCAL_35MM, _PIXELS_ACROSS = 0x920A, 0xA405, 0xA002
_PLANE_RESOLUTION, _PLANE_UNIT = 0xA20E, 0xA210
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_DIAGONAL_35MM = math.hypot(36, 24)

QUARTER_TURNS = {3: 2, 6: 1, 8: 3}
"""EXIF orientation -> clockwise turns from the stored image to the upright one; 2, 4, 5 and 7 are mirrored"""

# Longer side of the sensor, mm, of cameras whose photos lack both other sources; from their makers' specifications.
SENSOR_WIDTH_MM = {
    "canon eos 5d": 35.8, "canon eos 5d mark ii": 36.0, "canon eos 300d digital": 22.7, "canon eos 350d digital": 22.2,
    "canon eos 400d digital": 22.2, "canon eos 20d": 22.5, "canon eos 30d": 22.5, "canon eos 40d": 22.2,
    "nikon d50": 23.7, "nikon d70": 23.7, "nikon d80": 23.6, "nikon d90": 23.6, "nikon d200": 23.6, "nikon d700": 36.0,
    "apple iphone 4s": 4.54, "apple iphone 5": 4.54, "apple iphone 5s": 4.8, "apple iphone 6": 4.8,
}  # fmt: skip


@dataclass(frozen=True)
class ImageHeader:
    """Size of the stored pixels; `orientation`: EXIF's 1 to 8, 1 where it says nothing; `focal_px`: px, or None.

    `camera` is maker and model, lower case. `focal_source` says where the focal length comes from. `position`: by
    satellite, None where EXIF has none that is whole. `device`: as in `Sensor`, empty without model or focal length.
    """

    width: int
    height: int
    orientation: int = 1
    camera: str = ""
    focal_px: float | None = None
    focal_source: str = ""
    position: Position | None = None
    device: str = ""


def read_header(path: Path, name: str) -> ImageHeader:
    """The header of an image on disk; DataError where there is none or it cannot be read."""
    try:
        with open_regular(path) as file:
            return image_header(file, name)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def upright_turns(data: bytes, name: str) -> int:
    """Quarter turns clockwise that make an encoded image upright, by its EXIF orientation.

    0 where it says nothing, or that the photo is a mirror image, which no turn puts right.
    """
    return QUARTER_TURNS.get(image_header(io.BytesIO(data), name).orientation, 0)


def image_header(file: BinaryIO, name: str) -> ImageHeader:
    """The header of an image file; DataError where there is none. Unreadable EXIF counts as no EXIF."""
    image = open_image(file, name)
    width, height = image.size
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise DataError(f"{name}: image of {width} x {height} px, expected 1 to {MAX_SIDE} px a side")
    try:
        with quiet():  # of EXIF that is broken, which counts as none
            tags = image.getexif()
            exif, gps = {**tags, **tags.get_ifd(_EXIF_IFD)}, tags.get_ifd(_GPS_IFD)
    except Exception:
        exif, gps = {}, {}
    orientation = exif.get(_ORIENTATION)
    focal_px, source = _focal(exif, width, height)
    if not _positive(focal_px):
        focal_px, source = None, ""
    valid = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    device = _device(exif, width, height)
    return ImageHeader(width, height, valid, _camera(exif), focal_px, source, exif_position(gps), device)


def _camera(exif: dict[int, Any]) -> str:
    make, model = _text(exif, _MAKE), _text(exif, _MODEL)
    return model if model.startswith(make) else f"{make} {model}"


def _text(exif: dict[int, Any], tag: int) -> str:
    return " ".join(str(exif.get(tag, "")).strip("\0 ").lower().split())


def _device(exif: dict[int, Any], width: int, height: int) -> str:
    """All that has a say in the intrinsics."""
    model, focal_mm = _camera(exif), _positive(exif.get(_FOCAL_MM))
    if not model.strip() or not focal_mm:
        return ""
    zoom = _positive(exif.get(_ZOOM)) or 1.0
    parts = [
        model,
        _text(exif, _LENS),
        f"{width} x {height}",
        f"{focal_mm:g} mm",
        "" if zoom == 1 else f"zoom {zoom:g}",
    ]
    return "; ".join(filter(None, parts))


def _focal(exif: dict[int, Any], width: int, height: int) -> tuple[float | None, str]:
    """Focal length in px: from the 35 mm tag (equal diagonals), the focal plane's resolution, or the sensor's width."""
    focal_mm, focal_35 = _positive(exif.get(_FOCAL_MM)), _positive(exif.get(_FOCAL_35MM))
    if focal_35:
        return focal_35 / _DIAGONAL_35MM * math.hypot(width, height), "35 mm tag"
    resolution, unit = _positive(exif.get(_PLANE_RESOLUTION)), _MM_PER_UNIT.get(exif.get(_PLANE_UNIT, 2))
    if focal_mm and resolution and unit:
        # The resolution is that of the picture as taken; it may have been made smaller since.
        scale = width / (_positive(exif.get(_PIXELS_ACROSS)) or width)
        return focal_mm * resolution / unit * scale, "focal plane"
    sensor_mm = SENSOR_WIDTH_MM.get(_camera(exif))
    if focal_mm and sensor_mm:
        return focal_mm / sensor_mm * max(width, height), "sensor width"
    return None, ""


def _positive(value: Any) -> float | None:
    """A finite number above 0, or None (tags hold 0 or 0/0 for unknown)."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
