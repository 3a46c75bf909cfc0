"""Where a capture's images were taken by satellite, in metres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..data.capture import Capture
from ..data.records import Readings
from ..errors import DataError
from ..formats.gps import LOCAL, WGS84, gps_sensor_id
from ..geometry.geodesy import enu_from_wgs84

MAX_GAP = 2.0
"""times a receiver's usual interval between two readings: no position is made up across a longer gap"""


@dataclass(frozen=True, eq=False)
class Positions:
    """Where images were taken, by name: metres east, north and up of `origin`.

    `origin`: degrees north and east and metres up (WGS84), or None where the readings are in a local frame already.
    """

    xyz: dict[str, Float64[np.ndarray, "3"]]
    origin: tuple[float, float, float] | None


def positions_of(capture: Capture) -> Positions | None:
    """Positions of images from gnss readings, or None where there are none; DataError: in a system not understood.

    An image takes the reading of its own camera (EXIF) at its time; where no camera has its own, the one receiver's
    track at that time, on a straight line between two readings. The receiver's place on the rig is left out.
    """
    found, system = image_readings(capture)
    if not found:
        return None
    if system == LOCAL:
        return Positions(found, None)
    places = np.stack(list(found.values()))[:, [1, 0, 2]]  # x is east, y north
    origin = np.median(places, axis=0)
    return Positions(dict(zip(found, enu_from_wgs84(places, origin), strict=True)), tuple(origin.tolist()))


def image_readings(capture: Capture) -> tuple[dict[str, Float64[np.ndarray, "3"]], str]:
    """The same as they were read (degrees east and north, metres up; or metres), and in which of the two systems."""
    readings = capture.readings.get("gnss")
    if readings is None or not len(readings):
        return {}, WGS84
    systems = {(capture.sensors[device].params or (WGS84,))[0] for device in readings.device_ids}
    if systems not in ({WGS84}, {LOCAL}):
        told = ", ".join(sorted(systems))
        raise DataError(f"gnss readings in {told}: expected all in {WGS84} (degrees) or all in {LOCAL} (metres)")
    return dict(_own_readings(capture, readings)) or dict(_on_track(capture, readings)), systems.pop()


def _own_readings(capture: Capture, readings: Readings) -> Iterator[tuple[str, Float64[np.ndarray, "3"]]]:
    """Of images whose camera has a receiver named after it: the reading of the same time."""
    xyz, images = _columns(readings), capture.images
    times, devices = readings.timestamps.tolist(), readings.devices.tolist()
    rows = {
        (time, readings.device_ids[device]): row for row, (time, device) in enumerate(zip(times, devices, strict=True))
    }
    for time, device, name in zip(images.timestamps.tolist(), images.devices.tolist(), images.names, strict=True):
        camera = images.device_ids[device]
        row = next((rows[key] for key in _receivers(time, camera) if key in rows), None)
        if row is not None:
            yield name, xyz[row]


def _receivers(time: int, camera: str) -> tuple[tuple[int, str], ...]:
    # COLMAP databases hold positions in world coordinates beside those by satellite.
    return (time, gps_sensor_id(camera)), (time, f"{gps_sensor_id(camera)}_local")


def _on_track(capture: Capture, readings: Readings) -> Iterator[tuple[str, Float64[np.ndarray, "3"]]]:
    """Of images between two readings of the only receiver."""
    if len(readings.device_ids) != 1 or len(readings) < 2:
        return
    times, xyz = readings.timestamps.astype(np.float64), _columns(readings)
    longest = MAX_GAP * float(np.median(np.diff(times)))
    after = np.clip(np.searchsorted(times, capture.images.timestamps), 1, len(times) - 1)
    for name, time, row in zip(capture.images.names, capture.images.timestamps.tolist(), after.tolist(), strict=True):
        gap = times[row] - times[row - 1]
        if times[row - 1] <= time <= times[row] and 0 < gap <= longest:
            part = (time - times[row - 1]) / gap
            yield name, (1 - part) * xyz[row - 1] + part * xyz[row]


def _columns(readings: Readings) -> Float64[np.ndarray, "r 3"]:
    return np.stack([np.asarray(readings.columns[axis], np.float64) for axis in "xyz"], axis=1)
