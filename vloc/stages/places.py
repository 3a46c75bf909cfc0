"""Where images were taken by satellite, as what a global descriptor is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..errors import DataError
from ..formats.gps import LOCAL
from ..geometry.geodesy import ecef_from_wgs84
from ..retrieval.gnss import Place
from .images import ContentHash, Photos
from .positions import image_readings

LIMITS = {"longitude": 180.0, "latitude": 90.0}
"""degrees, in the order of a reading"""


@dataclass(frozen=True, eq=False)
class PlaceItems:
    """Places as items, by image name; of an image without a reading it is not known."""

    keys: Sequence[str]
    content_hash: ContentHash
    readings: Mapping[str, Float64[np.ndarray, "3"]]
    is_local: bool

    def fingerprint(self, index: int) -> str:
        """The hash of the place."""
        text = f"{self.is_local} {self.load(index).xyz.tolist()}"
        return self.content_hash(f"gnss/{self.keys[index]}", None, text.encode)

    def load(self, index: int) -> Place:
        """The place of an image."""
        reading = self.readings.get(self.keys[index])
        if reading is None:
            return Place(np.full(3, np.nan))
        return Place(reading, True) if self.is_local else Place(on_ellipsoid(reading))

    def __iter__(self) -> Iterator[Place]:
        """Every place."""
        return map(self.load, range(len(self.keys)))


def on_ellipsoid(reading: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Degrees east and north as metres from the centre of the earth; height is left out, satellites know it badly."""
    east, north, _ = reading.tolist()
    return ecef_from_wgs84(np.array([[north, east, 0.0]]))[0]


def place_items(photos: Photos, names: Sequence[str]) -> PlaceItems:
    """The places of some images; DataError for a reading that is none."""
    readings, system = image_readings(photos.capture)
    for name in names:
        if name in readings:
            check_reading(name, readings[name], system)
    return PlaceItems(names, photos.content_hash, readings, system == LOCAL)


def check_reading(name: str, reading: Float64[np.ndarray, "3"], system: str) -> None:
    """DataError for a place that is not on earth, or no number."""
    for (axis, limit), value in zip(LIMITS.items(), reading.tolist(), strict=False):
        if system != LOCAL and not abs(value) <= limit:
            raise DataError(
                f"sensors/records_gnss.txt: {axis} {value:g} near the time of {name}, expected -{limit:g} to {limit:g}"
            )
    if not np.isfinite(reading).all():
        raise DataError(f"sensors/records_gnss.txt: {reading.tolist()} near the time of {name}, expected numbers")
