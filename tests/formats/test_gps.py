"""Positions in EXIF as Pillow writes them: hemispheres, depths below the sea, and tags that are absurd."""

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vloc.formats.access import read, write

# 33 degrees 51 minutes 24.5 seconds: 33 + 51/60 + 24.5/3600
DEGREES, VALUE = (
    (IFDRational(33), IFDRational(51), IFDRational(49, 2)),
    float(33 + Fraction(51, 60) + Fraction(49, 7200)),
)


def save(path: Path, **changes: object) -> None:
    """A photo at 33.856806 degrees south and west, 12.5 m below the sea."""
    tags = {"1": "S", "2": DEGREES, "3": "W", "4": DEGREES, "5": b"\1", "6": IFDRational(25, 2)}
    tags |= {"7": (IFDRational(12), IFDRational(30), IFDRational(15)), "29": "2021:03:04"}
    exif = Image.Exif()
    exif[0x8825] = {int(key.removeprefix("t")): value for key, value in (tags | changes).items() if value is not None}
    Image.new("L", (30, 20)).save(path, exif=exif)


def position(folder: Path) -> tuple[float, float, float]:
    """x (east), y (north) and z of the only reading."""
    columns = read(folder).readings["gnss"].columns
    x, y, z = (columns[name] for name in "xyz")
    return float(x[0]), float(y[0]), float(z[0])


@pytest.mark.parametrize(
    ("north", "east", "below", "expected"),
    [
        ("N", "E", b"\0", (VALUE, VALUE, 12.5)),
        ("S", "E", b"\0", (VALUE, -VALUE, 12.5)),
        ("N", "W", b"\1", (-VALUE, VALUE, -12.5)),
        ("S", "W", b"\1", (-VALUE, -VALUE, -12.5)),
    ],
)
def test_hemispheres_and_the_sea_level_give_the_signs(
    tmp_path: Path, north: str, east: str, below: bytes, expected: tuple[float, ...]
) -> None:
    save(tmp_path / "a.jpg", **{"1": north, "3": east, "5": below})
    assert position(tmp_path) == pytest.approx(expected, abs=1e-9)


def test_a_reading_has_the_time_of_its_image_and_the_hour_of_the_satellites(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    capture = read(tmp_path)
    gnss = capture.readings["gnss"]
    assert gnss.timestamps.tolist() == capture.images.timestamps.tolist()
    assert gnss.device_ids == ("GPS_camera0",)
    assert capture.sensors["GPS_camera0"].params == ("EPSG:4326",)
    assert gnss.columns["utc"].tolist() == [1614861015]  # date -u -d '2021-03-04 12:30:15' +%s


@pytest.mark.parametrize("changes", [{"1": None}, {"1": "X"}, {"2": None}, {"4": (IFDRational(181), 0, 0)}])
def test_a_position_without_hemisphere_or_out_of_range_is_none(tmp_path: Path, changes: dict) -> None:
    save(tmp_path / "a.jpg", **changes)
    assert not read(tmp_path).readings


def test_unknown_parts_are_not_made_up(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", **{"2": (IFDRational(0, 0), IFDRational(1), IFDRational(0))})
    assert not read(tmp_path).readings


def test_a_position_without_altitude_is_remarked(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", **{"6": None})
    assert position(tmp_path)[2] == 0
    assert any("1 positions without altitude" in note for note in read(tmp_path).notes)


def test_positions_survive_in_kapture(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    save(tmp_path / "photos" / "a.jpg")
    write(read(tmp_path / "photos"), f"kapture:{tmp_path / 'capture'}")
    assert position(tmp_path / "capture") == position(tmp_path / "photos")
