"""Positions by satellite: EXIF's as degrees with a sign, and columns of gnss readings as kapture has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from ..data.capture import Sensor
from ..data.records import Readings

# Tags of EXIF's GPS part, by their numbers in the standard (CIPA DC-008, table 15).
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = 1, 2, 3, 4, 5, 6
_TIME, _DOP, _DATE = 7, 11, 29
_BELOW_SEA_LEVEL = 1
WGS84, LOCAL = "EPSG:4326", "LOCAL"


class Position(NamedTuple):
    """Degrees north and east, metres above sea level; `utc`: seconds since 1970. utc and dop are 0 where unknown."""

    latitude: float
    longitude: float
    altitude: float | None
    utc: int = 0
    dop: float = 0.0


def exif_position(tags: Mapping[int, Any]) -> Position | None:
    """The position in EXIF's GPS tags, or None where latitude or longitude, or its hemisphere, is missing or absurd."""
    latitude = _degrees(tags.get(_LATITUDE), tags.get(_LATITUDE_REF), "N", "S", 90)
    longitude = _degrees(tags.get(_LONGITUDE), tags.get(_LONGITUDE_REF), "E", "W", 180)
    if latitude is None or longitude is None:
        return None
    altitude, reference = _number(tags.get(_ALTITUDE)), tags.get(_ALTITUDE_REF, 0)
    # The reference is a byte; Pillow gives it as one, or as a number.
    below = reference in (_BELOW_SEA_LEVEL, bytes([_BELOW_SEA_LEVEL]))
    if altitude is not None and below:
        altitude = -altitude
    return Position(
        latitude, longitude, altitude, _utc(tags.get(_DATE), tags.get(_TIME)), _number(tags.get(_DOP)) or 0.0
    )


def _degrees(value: Any, reference: Any, positive: str, negative: str, limit: float) -> float | None:
    """Degrees, minutes and seconds as degrees, negative in the southern or western hemisphere."""
    text = reference.decode(errors="replace") if isinstance(reference, bytes) else str(reference or "")
    side = text.strip("\0 ").upper()
    parts = [_number(part) for part in value] if isinstance(value, tuple | list) else []
    if side not in (positive, negative) or len(parts) != 3 or parts[0] is None:
        return None
    degrees = sum((part or 0.0) / unit for part, unit in zip(parts, (1, 60, 3600), strict=True))
    if not 0 <= degrees <= limit:
        return None
    return degrees if side == positive else -degrees


def _number(value: Any) -> float | None:
    """A finite number, or None (0/0 stands for unknown)."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _utc(date: Any, time: Any) -> int:
    """`YYYY:MM:DD` and (hours, minutes, seconds) as whole seconds since 1970; 0 where either is missing."""
    try:
        day = datetime.strptime(str(date).strip("\0 "), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = (_number(part) or 0.0 for part in time)
        return int(day.timestamp() + 3600 * hours + 60 * minutes + seconds)
    except (ValueError, TypeError):
        return 0


def gps_sensor_id(camera: str) -> str:
    """The id of the gnss sensor at a camera, the same as in kapture's own import."""
    return f"GPS_{camera}"


def gps_sensor(system: str = WGS84) -> Sensor:
    """A gnss sensor; its parameter is the coordinate system of its readings."""
    return Sensor("gnss", "", None, (system,))


def gnss_readings(rows: Sequence[tuple[int, str, Position]]) -> Readings:
    """Readings from (timestamp, sensor id, position) rows in any order: x is east, y north, z up; a missing z is 0."""
    rows = sorted(rows, key=lambda row: row[:2])
    ids = tuple(sorted({device for _, device, _ in rows}))
    index = {device: i for i, device in enumerate(ids)}
    places = [place for _, _, place in rows]
    columns: dict[str, np.ndarray | Sequence[str]] = {
        "x": np.array([place.longitude for place in places], np.float64),
        "y": np.array([place.latitude for place in places], np.float64),
        "z": np.array([place.altitude or 0.0 for place in places], np.float64),
        "utc": np.array([place.utc for place in places], np.int64),
        "dop": np.array([place.dop for place in places], np.float64),
    }
    devices = np.array([index[device] for _, device, _ in rows], np.int32)
    return Readings(np.array([time for time, _, _ in rows], np.int64), devices, ids, columns)
