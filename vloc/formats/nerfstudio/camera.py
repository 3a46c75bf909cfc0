"""Intrinsics in `transforms.json`: shared by the file or given with a frame, by COLMAP's names or instant-ngp's."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ...errors import DataError
from ...geometry.camera import CAMERA_PARAMS, Camera
from ...regular_file import is_regular
from ..image_header import read_header
from ..images import FolderImages
from ..json_text import Number

# The models of COLMAP that nerfstudio knows by name; their parameters have one name each in the file.
MODELS = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE")
Found = dict[str, Any]
LEAST_ANGLE = 1e-6
"""of view, radians"""
_KEYS = {"f": "fl_x", "fx": "fl_x", "fy": "fl_y", "k": "k1"}


class Intrinsics(msgspec.Struct):
    """Intrinsics as keys; None is where the file says nothing. Angles are radians, all else px."""

    camera_model: str | None = None
    is_fisheye: bool | None = None
    w: Number | None = None
    h: Number | None = None
    fl_x: Number | None = None
    fl_y: Number | None = None
    camera_angle_x: Number | None = None
    camera_angle_y: Number | None = None
    cx: Number | None = None
    cy: Number | None = None
    k1: Number | None = None
    k2: Number | None = None
    k3: Number | None = None
    k4: Number | None = None
    p1: Number | None = None
    p2: Number | None = None


def camera_of(place: str, frame: Intrinsics, shared: Intrinsics, files: FolderImages, image: str) -> Camera:
    """The camera of a frame; without a size in the file, the image's own. DataError begins with `place`."""
    found = {name: getattr(frame, name) for name in Intrinsics.__struct_fields__}
    found = {name: getattr(shared, name) if value is None else value for name, value in found.items()}
    width, height = _size(place, found, files, image)
    values = {name: found[name] or 0.0 for name in ("k1", "k2", "k3", "k4", "p1", "p2")}
    values["fl_x"] = _focal(place, found, "x", width)
    values["fl_y"] = _focal(place, found, "y", height) if _says_y(found) else values["fl_x"]
    values["cx"] = width / 2 if found["cx"] is None else found["cx"]
    values["cy"] = height / 2 if found["cy"] is None else found["cy"]
    model = _model(place, found, values)
    try:
        return Camera(model, width, height, tuple(values[_KEYS.get(p, p)] for p in CAMERA_PARAMS[model]))
    except ValueError as error:
        raise DataError(f"{place}: {error}") from None


def _size(place: str, found: Found, files: FolderImages, image: str) -> tuple[int, int]:
    if found["w"] is None or found["h"] is None:
        path = files.path(image)
        if not is_regular(path):
            raise DataError(f"{place}: no w and h, and no image {path} to take them from")
        header = read_header(path, image)
        return header.width, header.height
    if found["w"] != int(found["w"]) or found["h"] != int(found["h"]):
        raise DataError(f"{place}: image size {found['w']} x {found['h']}, expected whole pixels")
    return int(found["w"]), int(found["h"])


def _says_y(found: Found) -> bool:
    return found["fl_y"] is not None or found["camera_angle_y"] is not None


def _focal(place: str, found: Found, axis: str, size: int) -> float:
    """fl_x or fl_y; else from the angle of view across the image."""
    focal, angle = found[f"fl_{axis}"], found[f"camera_angle_{axis}"]
    if focal is not None:
        return float(focal)
    if angle is None or not LEAST_ANGLE <= angle < math.pi:
        expected = f"expected radians, from {LEAST_ANGLE} to under pi"
        raise DataError(f"{place}: no fl_{axis}, and camera_angle_{axis} is {angle}, {expected}")
    return size / 2 / math.tan(angle / 2)


def _model(place: str, found: Found, values: dict[str, float]) -> str:
    """The named model where the other coefficients are 0, else the one that has them all."""
    name = found["camera_model"] or ("OPENCV_FISHEYE" if found["is_fisheye"] else None)
    if name is not None and name not in MODELS:
        raise DataError(f"{place}: camera_model '{name}', expected one of {', '.join(MODELS)}")
    choices = ["OPENCV_FISHEYE"] if name == "OPENCV_FISHEYE" else [name or "PINHOLE", "PINHOLE", "OPENCV"]
    fits = [model for model in choices if _fits(model, values)]
    if not fits:
        raise DataError(f"{place}: coefficients {values} do not fit {name or 'OPENCV'}")
    return fits[0]


def _fits(model: str, values: dict[str, float]) -> bool:
    """Whether a model has a parameter for every value that is not 0."""
    keys = {_KEYS.get(p, p) for p in CAMERA_PARAMS[model]} | {"fl_y"}
    if CAMERA_PARAMS[model][0] == "f" and values["fl_x"] != values["fl_y"]:
        return False
    return all(value == 0 or key in keys for key, value in values.items())


def written_camera(sensor: str, camera: Camera) -> dict[str, object]:
    """The keys of a camera; fisheyes of one or two terms are written with four. DataError for other models."""
    model, names = camera.model, CAMERA_PARAMS[camera.model]
    if model in ("SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE"):
        model = "OPENCV_FISHEYE"
    if model not in MODELS:
        raise DataError(f"camera '{sensor}': nerfstudio has no {model}, only {', '.join(MODELS)}")
    keys = {_KEYS.get(name, name): value for name, value in zip(names, camera.params, strict=True)}
    size = {"camera_model": model, "w": camera.width, "h": camera.height}
    return {**size, "fl_y": camera.focal[1], **{key: float(value) for key, value in keys.items()}}
