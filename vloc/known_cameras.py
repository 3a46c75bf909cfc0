"""Cameras that a map has calibrated, for queries that the same device took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .data.capture import Capture, Sensor
from .errors import DataError
from .formats.image_folder import rough_sensor
from .formats.image_header import read_header
from .map import Map

PREFIX = "map:"
"""`map:NAME` as a camera: that of an image of the map"""
MAX_FOCAL_SPREAD = 0.02
"""relative; where a device's focal lengths in a map differ by more, they are not those of one lens and setting"""


def camera_of(image: str | Path, map_: Map | None = None) -> Sensor:
    """What would be used as the camera of an image file: the map's where the same device took it, EXIF, or a guess.

    `camera` has the intrinsics, `focal_source` says where they are from. DataError for a file that is no image.
    """
    sensor = rough_sensor(read_header(Path(image), str(image)))
    return sensor if map_ is None else recognised(map_, sensor)


def calibrated_devices(capture: Capture, *, all_refined: bool) -> dict[str, list[str]]:
    """For every device, its images whose intrinsics a map has calibrated (of all images, where SfM refined them)."""
    found: dict[str, list[str]] = {}
    for name in capture.images.names:
        sensor = capture.sensor(name)
        if sensor.device and (all_refined or not sensor.is_rough):
            found.setdefault(sensor.device, []).append(name)
    return found


def recognised(map_: Map, sensor: Sensor) -> Sensor:
    """The sensor with the intrinsics that the map has of the same device; itself where it has none, or needs none."""
    image = agreed_image(map_, sensor.device) if sensor.is_rough and sensor.device else None
    return sensor if image is None else _like(map_, sensor, image)


def agreed_image(map_: Map, device: str) -> str | None:
    """The map's image of a device with the middle focal length; None of unknown ones, or where these disagree."""
    images = [name for name in map_.manifest.get("devices", {}).get(device, ()) if name in map_.sparse.row_of]
    focals = [map_.sparse.camera(map_.sparse.row_of[name]).focal[0] for name in images]
    if not focals or max(focals) > (1 + MAX_FOCAL_SPREAD) * min(focals):
        return None
    return images[sorted(range(len(images)), key=focals.__getitem__)[len(images) // 2]]


def with_known_cameras(map_: Map, queries: Capture, camera: str | None = None) -> Capture:
    """Queries whose rough intrinsics are the map's where it knows the device; all those of image NAME by `map:NAME`."""
    named = camera.removeprefix(PREFIX) if camera is not None else None
    sensors = {
        key: sensor
        if sensor.camera is None
        else (recognised(map_, sensor) if named is None else of_image(map_, sensor, named))
        for key, sensor in queries.sensors.items()
    }
    return replace(queries, sensors=sensors)


def of_image(map_: Map, sensor: Sensor, name: str) -> Sensor:
    """The sensor with the intrinsics of an image of the map; DataError where it is not there, or of another size."""
    if name not in map_.sparse.row_of:
        raise DataError(f"camera {PREFIX}{name}: the map has no image of this name")
    known = _like(map_, sensor, name)
    sizes = [(c.width, c.height) for c in (sensor.camera, known.camera) if c is not None]
    if sizes[0] != sizes[-1]:
        (w, h), (width, height) = sizes
        raise DataError(f"camera {PREFIX}{name}: is for images of {width} x {height} px, the query has {w} x {h}")
    return known


def _like(map_: Map, sensor: Sensor, name: str) -> Sensor:
    return replace(sensor, camera=map_.sparse.camera(map_.sparse.row_of[name]), focal_source=f"{PREFIX}{name}")
