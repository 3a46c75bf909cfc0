"""Positions by satellite as metres: WGS84 degrees to a local frame that looks east, north and up."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257_223_563
_ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)


def ecef_from_wgs84(latitude_longitude_altitude: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """Degrees north and east and metres above the ellipsoid, as metres from the centre of the earth (EPSG 9602)."""
    latitude, longitude = np.radians(latitude_longitude_altitude[:, :2]).T
    altitude = latitude_longitude_altitude[:, 2]
    normal = SEMI_MAJOR_M / np.sqrt(1 - _ECCENTRICITY_SQUARED * np.sin(latitude) ** 2)
    across = (normal + altitude) * np.cos(latitude)
    up = (normal * (1 - _ECCENTRICITY_SQUARED) + altitude) * np.sin(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), up], axis=1)


def enu_from_wgs84(
    latitude_longitude_altitude: Float64[np.ndarray, "n 3"], origin: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "n 3"]:
    """Metres east, north and up of `origin`, in the plane that touches the ellipsoid there (EPSG 9837)."""
    latitude, longitude = np.radians(origin[:2])
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(latitude), np.cos(latitude), np.sin(longitude), np.cos(longitude)
    enu_from_ecef = np.array(
        [
            [-sin_lon, cos_lon, 0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )
    moved: np.ndarray = ecef_from_wgs84(latitude_longitude_altitude) - ecef_from_wgs84(origin[None])
    return moved @ enu_from_ecef.T
