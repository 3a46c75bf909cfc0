"""Intrinsics written as text: `MODEL w h params...`, or `MODEL,params...` where the image tells the size."""

from __future__ import annotations

from collections.abc import Sequence

from ..geometry.camera import CAMERA_PARAMS, UNKNOWN, Camera
from .text_fields import parse_float

MODELS = frozenset([*CAMERA_PARAMS, UNKNOWN])


def parse_camera(fields: Sequence[str], size: tuple[int, int] | None = None) -> Camera:
    """A camera from the fields `MODEL w h params...`, or `MODEL params...` for an image of a given (w, h).

    ValueError says what is wrong.
    """
    if not fields:
        raise ValueError("no camera model")
    model, *rest = fields
    if model not in MODELS:
        raise ValueError(f"camera model '{model}', expected one of {', '.join(sorted(MODELS))}")
    values = [_number(text) for text in rest]
    if len(values) == len(CAMERA_PARAMS.get(model, ())) + 2:
        width, height, *params = values
        if width != int(width) or height != int(height):
            raise ValueError(f"image size {width} x {height}, expected whole pixels")
        return Camera(model, int(width), int(height), tuple(params))
    if size is None:
        expected = ", ".join(["w", "h", *CAMERA_PARAMS.get(model, ())])
        raise ValueError(f"{model} with {len(values)} numbers, expected {len(expected.split(','))}: {expected}")
    return Camera(model, *size, tuple(values))


def split_camera(text: str) -> list[str]:
    """The fields of `MODEL,params...` or `MODEL w h params...`."""
    return text.replace(",", " ").split()


def format_number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without fraction."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _number(text: str) -> float:
    try:
        return parse_float(text)
    except ValueError as error:
        raise ValueError(f"'{text}': {error}") from None
