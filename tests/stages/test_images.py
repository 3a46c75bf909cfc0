"""Images of a capture as items: names, sizes and what they depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Readings, Records
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.images import FolderImages
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.stages.images import ImageItems, LookConfig, Photos, TurnedItems

CAMERA = Camera("PINHOLE", 8, 6, (9.0, 9.0, 4.0, 3.0))
NAMES = [f"{i}.png" for i in range(5)]


def content_hash(name: str, stamp: str, read: Callable[[], bytes]) -> str:
    return hashlib.sha256(read()).hexdigest()


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    """Five images, each of one colour, (10 i, 0, 0); the fourth is missing, the fifth too large."""
    for i in (0, 1, 2, 4):
        Image.new("RGB", (8, 6) if i < 4 else (9, 6), (10 * i, 0, 0)).save(tmp_path / NAMES[i])
    records = Records.from_rows([(i, "cam", name) for i, name in enumerate(NAMES)])
    return Photos(
        Capture({"cam": Sensor("camera", camera=CAMERA)}, records, files=FolderImages(tmp_path)), content_hash
    )


def test_pixels_come_by_place_and_by_name_grey_or_in_colour(photos: Photos) -> None:
    items = photos.of(NAMES[1:3], in_color=True)
    assert items.load(1).shape == (6, 8, 3) and items.load(1)[0, 0].tolist() == [20, 0, 0]
    np.testing.assert_array_equal(items["1.png"], items.load(0))
    grey = photos.of(NAMES[2:3], in_color=False).load(0)
    assert grey.shape == (6, 8) and grey[0, 0] == 6  # 0.299 of 20
    assert [image[0, 0, 0] for image in items] == [10, 20]
    assert items.size("1.png") == (8, 6)


def test_what_cannot_be_read_is_refused_by_name(photos: Photos) -> None:
    items = photos.of(NAMES, in_color=True)
    with pytest.raises(DataError, match=r"3\.png"):
        items.load(3)
    with pytest.raises(DataError, match=r"4\.png: image of 9 x 6 px, its camera says 8 x 6"):
        items.load(4)
    assert photos.of(NAMES, in_color=True, min_size=5).load(4).shape == (6, 9, 3)  # reduced copies fit no camera


def test_an_item_depends_on_the_bytes_of_its_file(photos: Photos, tmp_path: Path) -> None:
    items = photos.of(NAMES, in_color=True)
    before = [items.fingerprint(row) for row in range(4)]
    assert len(set(before)) == 4 and before[3] == "missing"
    (tmp_path / NAMES[0]).write_bytes((tmp_path / NAMES[1]).read_bytes())
    assert [items.fingerprint(row) for row in range(4)] == [before[1], *before[1:]]
    assert items.fingerprint_of("2.png") == before[2]


def test_a_capture_without_files_says_so() -> None:
    capture = Capture({"cam": Sensor("camera", camera=CAMERA)}, Records.from_rows([(0, "cam", "a")]))
    with pytest.raises(DataError, match="no image files"):
        Photos(capture, content_hash).of(["a"], in_color=False).load(0)


class Forbidden:
    """Files whose size and time can be seen, but not their bytes, as a mode of 000 makes them."""

    def read(self, name: str) -> bytes:
        raise DataError(f"{name}: Permission denied")

    def stamp(self, name: str) -> str:
        return "100-1"


def test_an_image_whose_bytes_cannot_be_read_has_a_fingerprint_and_fails_when_loaded():
    camera = Sensor("camera", camera=Camera("PINHOLE", 64, 48, (50.0, 50, 32, 24)))
    capture = Capture({"cam": camera}, Records.from_rows([(0, "cam", "a.jpg")]), files=Forbidden())
    items = ImageItems(capture, ["a.jpg"], lambda name, stamp, read: read().hex(), in_color=False)
    assert items.fingerprint(0) == "unreadable"
    with pytest.raises(DataError, match=r"a\.jpg: Permission denied"):
        np.asarray(items.load(0))


def turned_photos(folder: Path, look: LookConfig) -> Photos:
    """`a.png`: 8 x 6 px, dark but for the left column; its EXIF orientation says that this is the top."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((6, 8), np.uint8)
    pixels[:, 0] = 200
    Image.fromarray(pixels).save(folder / "a.png", exif=exif)
    records = Records.from_rows([(0, "cam", "a.png")])
    capture = Capture({"cam": Sensor("camera", camera=CAMERA)}, records, files=FolderImages(folder))
    return Photos(capture, content_hash, look)


def test_a_photo_is_turned_upright_by_its_exif_orientation(tmp_path: Path) -> None:
    photos = turned_photos(tmp_path, LookConfig())
    items = photos.upright(["a.png"], in_color=False)
    assert items.load(0).shape == (8, 6) and items.load(0)[0].tolist() == [200] * 6
    assert TurnedItems(items).load(0).quarter_turns == 1
    stored = photos.of(["a.png"], in_color=False)
    assert stored.load(0).shape == (6, 8) and stored.photo("a.png").quarter_turns == 0
    assert items.fingerprint(0) == TurnedItems(items).fingerprint(0) != stored.fingerprint(0)


def test_a_photo_stays_as_stored_where_none_is_turned(tmp_path: Path) -> None:
    photos = turned_photos(tmp_path, LookConfig("none"))
    items = photos.upright(["a.png"], in_color=False)
    assert items.load(0).shape == (6, 8)
    assert items.fingerprint(0) == photos.of(["a.png"], in_color=False).fingerprint(0)


def test_a_mirrored_photo_is_not_turned(tmp_path: Path) -> None:
    photos = turned_photos(tmp_path, LookConfig())
    exif = Image.Exif()
    exif[0x0112] = 5
    Image.new("L", (8, 6)).save(tmp_path / "a.png", exif=exif)
    assert TurnedItems(photos.upright(["a.png"], in_color=False)).load(0).quarter_turns == 0


def held_on_its_side(folder: Path, up: tuple[float, float, float]) -> Photos:
    """`a.png` again, by a camera whose accelerometer feels that this is up in its axes."""
    stored = turned_photos(folder, LookConfig("gravity"))
    columns = {axis: np.array([force]) for axis, force in zip(("x_accel", "y_accel", "z_accel"), up, strict=True)}
    readings = Readings(np.zeros(1, np.int64), np.zeros(1, np.int32), ("imu",), columns)
    rigs = tuple(RigMember("rig", sensor, Rigid.identity()) for sensor in ("cam", "imu"))
    return replace(stored, capture=replace(stored.capture, rigs=rigs, readings={"accelerometer": readings}))


def test_a_photo_is_turned_upright_by_gravity_whatever_its_exif_says(tmp_path: Path) -> None:
    left = held_on_its_side(tmp_path, (-9.8, 0, 0)).upright(["a.png"], in_color=False)
    assert left.load(0)[0].tolist() == [200] * 6 and left.photo("a.png").quarter_turns == 1
    top = held_on_its_side(tmp_path, (0, -9.8, 0)).upright(["a.png"], in_color=False)
    assert top.photo("a.png").quarter_turns == 0
    assert left.fingerprint(0) != top.fingerprint(0)


def test_photos_of_a_capture_without_an_accelerometer_cannot_be_turned_by_gravity(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no accelerometer readings"):
        turned_photos(tmp_path, LookConfig("gravity")).upright(["a.png"], in_color=False)
