"""Photos of pairs, matched by a matcher that finds one bright pixel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from vloc.data.capture import Capture, Sensor
from vloc.data.photo_matches import PhotoMatches
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.images import FolderImages
from vloc.geometry.camera import Camera
from vloc.runtime import Runtime
from vloc.stages.images import LookConfig, Photos
from vloc.stages.match_photos import MATCH_PHOTOS, PhotoPairs

CAMERA = Camera("PINHOLE", 8, 6, (9.0, 9.0, 4.0, 3.0))
PLACES = {"a.jpg": (1, 2), "b.jpg": (6, 4)}
TURN = {"a.jpg": 6, "b.jpg": 8}
"""EXIF orientations: a quarter turn one way and the other"""


@dataclass(frozen=True)
class Brightest:
    """Matches the brightest pixels."""

    plugin_name: ClassVar[str] = "brightest"
    in_color: ClassVar[bool] = False

    def load_photos(self, runtime: Runtime) -> Brightest:
        return self

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        y, x = np.unravel_index(photo.argmax(), photo.shape)
        return np.array([[x + 0.5, y + 0.5]], np.float32)

    def match(self, first: np.ndarray, second: np.ndarray) -> PhotoMatches:
        return PhotoMatches(first, second, np.ones(1, np.float32))


def content_hash(name: str, stamp: str, read: Callable[[], bytes]) -> str:
    return hashlib.sha256(read()).hexdigest()


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    """Two images of 8 x 6 with a bright spot each, stored lying on their sides; a third is missing."""
    for name, (x, y) in PLACES.items():
        pixels = np.zeros((6, 8), np.uint8)
        pixels[y, x] = 255
        exif = Image.Exif()
        exif[274] = TURN[name]
        Image.fromarray(pixels).save(tmp_path / name, exif=exif, quality=100)
    names = [*PLACES, "gone.jpg"]
    records = Records.from_rows([(i, "cam", name) for i, name in enumerate(names)])
    capture = Capture({"cam": Sensor("camera", camera=CAMERA)}, records, files=FolderImages(tmp_path))
    return Photos(capture, content_hash, LookConfig("exif"))


def test_places_are_of_the_photos_as_stored_however_they_are_turned(photos: Photos) -> None:
    shown, lying = photos.upright([], in_color=False), photos.of([], in_color=False)
    assert shown.photo("a.jpg").pixels.shape == (8, 6)
    for sides in ((shown, shown), (shown, lying), (lying, shown)):
        first, second = MATCH_PHOTOS.start(Brightest(), Runtime(), PhotoPairs(*sides))(
            [("a.jpg", "b.jpg"), ("b.jpg", "a.jpg")]
        )
        np.testing.assert_array_equal(first.first, [[1.5, 2.5]])
        np.testing.assert_array_equal(first.second, [[6.5, 4.5]])
        np.testing.assert_array_equal(second.first, first.second)


def test_photos_of_one_name_in_two_captures_are_two_photos(photos: Photos, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jpg").write_bytes((tmp_path / "b.jpg").read_bytes())
    other = replace(photos, capture=replace(photos.capture, files=FolderImages(tmp_path / "other")))
    pairs = PhotoPairs(photos.upright([], in_color=False), other.upright([], in_color=False))
    [found] = MATCH_PHOTOS.start(Brightest(), Runtime(), pairs)([("a.jpg", "a.jpg")])
    np.testing.assert_array_equal([*found.first, *found.second], [[1.5, 2.5], [6.5, 4.5]])
    assert len(set(pairs.fingerprint_of(("a.jpg", "a.jpg")).split(" "))) == 3  # two contents, and `upright`


def test_a_photo_that_is_missing_is_named(photos: Photos) -> None:
    shown = photos.upright([], in_color=False)
    pairs = PhotoPairs(shown, shown)
    assert ("a.jpg", "gone.jpg") in pairs and "a.jpg" not in pairs
    assert "missing" in pairs.fingerprint_of(("a.jpg", "gone.jpg"))
    with pytest.raises(DataError, match=r"gone\.jpg"):
        list(MATCH_PHOTOS.start(Brightest(), Runtime(), pairs)([("a.jpg", "gone.jpg")]))
