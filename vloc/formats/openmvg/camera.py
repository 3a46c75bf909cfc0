"""Intrinsics of OpenMVG: pinholes of one focal length with polynomial distortion, and the equidistant fisheye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ...errors import DataError
from ...geometry.camera import Camera
from .json import FIRST, NO_ID, SfmData, View, wrapped

# OpenMVG's models: the key of their coefficients and how many there are.
MODELS: dict[str, tuple[str, int]] = {
    "pinhole": ("", 0),
    "pinhole_radial_k1": ("disto_k1", 1),
    "pinhole_radial_k3": ("disto_k3", 3),
    "pinhole_brown_t2": ("disto_t2", 5),
    "fisheye": ("fisheye", 4),
}


class Common(msgspec.Struct):
    """What all models share; px."""

    width: int
    height: int
    focal_length: float
    principal_point: tuple[float, float]


def cameras_of(file: Path, content: SfmData, views: list[View]) -> tuple[dict[str, Camera], list[str]]:
    """Cameras by sensor id, and the sensor of each view; views without intrinsics get unknown ones of their size."""
    cameras: dict[str, Camera] = {}
    kinds: dict[int, str] = {}
    for i, entry in enumerate(content.intrinsics):
        # A type's name is told where it first occurs; later only its number, without the mark.
        number = entry.value.polymorphic_id & ~FIRST
        kind = kinds.setdefault(number, entry.value.polymorphic_name or "")
        if f"camera{entry.key}" in cameras:
            raise DataError(f"{file}: $.intrinsics[{i}]: intrinsic {entry.key} is here twice")
        cameras[f"camera{entry.key}"] = _camera(f"{file}: $.intrinsics[{i}]", kind, entry.value.ptr_wrapper.data)
    sensor_of = [_sensor(f"{file}: $.views[{i}]", view, cameras) for i, view in enumerate(views)]
    return cameras, sensor_of


def _sensor(place: str, view: View, cameras: dict[str, Camera]) -> str:
    if view.id_intrinsic == NO_ID:
        sensor = f"unknown_{view.width}x{view.height}"
        try:
            cameras.setdefault(sensor, Camera("UNKNOWN_CAMERA", view.width, view.height))
        except ValueError as error:
            raise DataError(f"{place}: {error}") from None
        return sensor
    if f"camera{view.id_intrinsic}" not in cameras:
        raise DataError(f"{place}: id_intrinsic {view.id_intrinsic} is not among the intrinsics")
    return f"camera{view.id_intrinsic}"


def _camera(place: str, kind: str, data: dict[str, Any]) -> Camera:
    if kind not in MODELS:
        raise DataError(f"{place}: polymorphic_name '{kind}', expected one of {', '.join(MODELS)}")
    key, count = MODELS[kind]
    try:
        common = msgspec.convert(data.get("value0", data), Common)
        found = msgspec.convert(data.get(key, [] if not count else None), list[float])
        if len(found) != count:
            raise DataError(f"{place}: {len(found)} numbers in {key}, expected {count}")
        model, params = _params(kind, common.focal_length, common.principal_point, found)
        return Camera(model, common.width, common.height, params)
    except (ValueError, msgspec.ValidationError) as error:
        raise DataError(f"{place}: {kind}: {error}") from None


def _params(kind: str, f: float, center: tuple[float, float], k: list[float]) -> tuple[str, tuple[float, ...]]:
    """The simplest of COLMAP's models that has the coefficients."""
    if kind == "fisheye":
        return "OPENCV_FISHEYE", (f, f, *center, *k)
    if kind == "pinhole_brown_t2":
        k1, k2, k3, t1, t2 = k
        if k3 == 0:
            return "OPENCV", (f, f, *center, k1, k2, t1, t2)
        return "FULL_OPENCV", (f, f, *center, k1, k2, t1, t2, k3, 0.0, 0.0, 0.0)
    if kind == "pinhole_radial_k3":
        k1, k2, k3 = k
        if k3 == 0:
            return "RADIAL", (f, *center, k1, k2)
        return "FULL_OPENCV", (f, f, *center, k1, k2, 0.0, 0.0, k3, 0.0, 0.0, 0.0)
    return ("SIMPLE_RADIAL" if k else "SIMPLE_PINHOLE"), (f, *center, *k)


def written_camera(sensor: str, camera: Camera, number: int, num_views: int) -> dict[str, Any]:
    """An intrinsic; DataError for two focal lengths and for models that OpenMVG lacks."""
    if camera.focal[0] != camera.focal[1]:
        raise DataError(f"camera '{sensor}': focal lengths {camera.focal}, OpenMVG has one; undistort the images first")
    kind, coefficients = _written(sensor, camera)
    key, _ = MODELS[kind]
    common = {
        "width": camera.width, "height": camera.height,
        "focal_length": float(camera.focal[0]), "principal_point": [float(x) for x in camera.principal_point],
    }  # fmt: skip
    data = {"value0": common, key: [float(x) for x in coefficients]} if key else common
    # Each intrinsic tells its type as if it were the first of it, with a number of its own: so does kapture, and
    # OpenMVG reads it.
    return {
        "polymorphic_id": FIRST + number + 1,
        "polymorphic_name": kind,
        "ptr_wrapper": wrapped(num_views + number, data),
    }


def _written(sensor: str, camera: Camera) -> tuple[str, tuple[float, ...]]:
    k = camera.distortion
    known: dict[str, tuple[str, tuple[float, ...]]] = {
        "SIMPLE_PINHOLE": ("pinhole", ()),
        "PINHOLE": ("pinhole", ()),
        "SIMPLE_RADIAL": ("pinhole_radial_k1", k),
        "RADIAL": ("pinhole_radial_k3", (*k, 0.0)),
        "OPENCV": ("pinhole_brown_t2", (*k[:2], 0.0, *k[2:])),
        "FULL_OPENCV": ("pinhole_brown_t2", (*k[:2], *k[4:5], *k[2:4])),
        "OPENCV_FISHEYE": ("fisheye", k),
        "SIMPLE_RADIAL_FISHEYE": ("fisheye", (*k, 0.0, 0.0, 0.0)),
        "RADIAL_FISHEYE": ("fisheye", (*k, 0.0, 0.0)),
    }
    if camera.model not in known or (camera.model == "FULL_OPENCV" and any(k[5:])):
        raise DataError(f"camera '{sensor}': OpenMVG has no {camera.model} {k}; undistort the images first")
    return known[camera.model]
