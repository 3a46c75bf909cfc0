"""Intrinsics of OpenSfM: lengths in longer sides of the image, the principal point from its centre."""

from __future__ import annotations

from typing import Any

import msgspec

from ...errors import DataError
from ...geometry.camera import Camera

_TWO = ("focal_x", "focal_y", "c_x", "c_y")
# OpenSfM's models (its `geometry/camera_instances.h`): the keys in the file, and the model here with its order.
MODELS: dict[str, tuple[tuple[str, ...], str]] = {
    "perspective": (("focal", "k1", "k2"), "RADIAL"),
    "simple_radial": ((*_TWO, "k1"), "OPENCV"),
    "radial": ((*_TWO, "k1", "k2"), "OPENCV"),
    "brown": ((*_TWO, "k1", "k2", "p1", "p2", "k3"), "FULL_OPENCV"),
    "fisheye": (("focal", "k1", "k2"), "RADIAL_FISHEYE"),
    "fisheye_opencv": ((*_TWO, "k1", "k2", "k3", "k4"), "OPENCV_FISHEYE"),
}
_ORDER = {
    "RADIAL": ("k1", "k2"),
    "RADIAL_FISHEYE": ("k1", "k2"),
    "OPENCV": ("k1", "k2", "p1", "p2"),
    "FULL_OPENCV": ("k1", "k2", "p1", "p2", "k3", "", "", ""),
    "OPENCV_FISHEYE": ("k1", "k2", "k3", "k4"),
}


def camera_of(place: str, data: dict[str, Any]) -> Camera:
    """The camera of an entry of `cameras`; DataError begins with `place`."""
    kind = data.get("projection_type", "perspective")
    if kind not in MODELS:
        raise DataError(f"{place}.projection_type: '{kind}', expected one of {', '.join(MODELS)}")
    keys, model = MODELS[kind]
    try:
        values = {key: msgspec.convert(data.get(key), float) for key in keys}
        width, height = (msgspec.convert(data.get(key), int) for key in ("width", "height"))
        longer = max(width, height)
        focal = [values[key] * longer for key in ("focal", "focal_x", "focal_y") if key in values]
        center = [values.get("c_x", 0.0) * longer + width / 2, values.get("c_y", 0.0) * longer + height / 2]
        lens = [values.get(key, 0.0) for key in _ORDER[model]]
        return _simplest(Camera(model, width, height, (*focal, *center, *lens)))
    except (ValueError, msgspec.ValidationError) as error:
        raise DataError(f"{place}: {kind}: {error}; it needs width, height, {', '.join(keys)}") from None


def _simplest(camera: Camera) -> Camera:
    """The same lens by a model without coefficients that are 0."""
    k, size = camera.distortion, (camera.width, camera.height)
    if camera.model == "FULL_OPENCV" and not any(k[4:]):
        return _simplest(Camera("OPENCV", *size, camera.params[:8]))
    if camera.model == "OPENCV" and not any(k):
        return Camera("PINHOLE", *size, camera.params[:4])
    if camera.model == "RADIAL" and k[1] == 0:
        kept = camera.params[: 4 if k[0] else 3]
        return Camera("SIMPLE_RADIAL" if k[0] else "SIMPLE_PINHOLE", *size, kept)
    return camera


def written_camera(sensor: str, camera: Camera) -> dict[str, Any]:
    """An entry of `cameras`; DataError for a model that OpenSfM lacks."""
    longer = max(camera.width, camera.height)
    center = [
        (camera.principal_point[0] - camera.width / 2) / longer,
        (camera.principal_point[1] - camera.height / 2) / longer,
    ]
    kind, lens = _written(sensor, camera, is_centred=not any(center))
    focal = {"focal": camera.focal[0] / longer} if kind in ("perspective", "fisheye") else {
        "focal_x": camera.focal[0] / longer, "focal_y": camera.focal[1] / longer, "c_x": center[0], "c_y": center[1],
    }  # fmt: skip
    names = [key for key in MODELS[kind][0] if not key.startswith(("focal", "c_"))]
    numbers = {key: float(value) for key, value in zip(names, [*lens, *[0.0] * len(names)], strict=False)}
    return {"projection_type": kind, "width": camera.width, "height": camera.height, **focal, **numbers}


def _written(sensor: str, camera: Camera, is_centred: bool) -> tuple[str, tuple[float, ...]]:
    """OpenSfM's model and its coefficients, in its order."""
    k = camera.distortion
    if camera.model in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"):
        return ("perspective" if is_centred else "brown"), k
    if camera.model in ("PINHOLE", "OPENCV"):
        return "brown", k
    if camera.model == "FULL_OPENCV" and not any(k[5:]):
        return "brown", k[:5]
    if camera.model in ("SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE"):
        return ("fisheye" if is_centred else "fisheye_opencv"), k
    if camera.model == "OPENCV_FISHEYE":
        return "fisheye_opencv", k
    raise DataError(f"camera '{sensor}': OpenSfM has no {camera.model} {k}; undistort the images first")
