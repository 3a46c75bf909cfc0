"""Photos that nothing here decodes are counted; HEIC is decoded where pi-heif is installed.

`ramp.heic` (64 x 48 px; red 4 x, green 5 y, blue 2 (x + y); EXIF 35 mm tag 26) is by pillow-heif.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vloc.errors import DataError
from vloc.formats.access import find_format, read
from vloc.formats.heif import is_heif
from vloc.formats.images import decode

RAMP = Path(__file__).with_name("ramp.heic")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A JPEG, a HEIC and a raw file."""
    Image.new("L", (64, 48)).save(tmp_path / "a.jpg")
    shutil.copy(RAMP, tmp_path / "b.HEIC")
    (tmp_path / "c.dng").write_bytes(b"II*\0")
    return tmp_path


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)


def test_photos_without_a_decoder_are_counted_with_what_helps(photos: Path, no_decoder) -> None:
    capture = read(photos)
    assert list(capture.images.names) == ["a.jpg"]
    assert capture.left_out == (
        f"{photos.name}: 1 images left out: HEIC needs a decoder, pip install 'vloc[heic]' (first: b.HEIC)",
        f"{photos.name}: 1 images left out: nothing decodes .dng here, convert them to JPEG, PNG or TIFF"
        " (first: c.dng)",
    )


def test_a_folder_of_nothing_else_says_what_to_install(photos: Path, no_decoder) -> None:
    (photos / "a.jpg").unlink()
    assert find_format(photos)[0].name == "images"
    with pytest.raises(DataError, match=r"pip install 'vloc\[heic\]'"):
        read(photos)
    with pytest.raises(DataError, match=r"ramp: HEIC images need a decoder: pip install 'vloc\[heic\]'"):
        decode(RAMP.read_bytes(), "ramp", color=True)


def test_heic_gives_its_pixels_size_and_focal_length(photos: Path) -> None:
    pytest.importorskip("pi_heif", reason="needs the extra heic")
    capture = read(photos)
    assert list(capture.images.names) == ["a.jpg", "b.HEIC"]
    assert capture.sensor("b.HEIC").focal_source == "EXIF 35 mm tag"
    # 26 mm on a film of 43.27 mm diagonal, 80 px here.
    assert capture.camera("b.HEIC").focal[0] == pytest.approx(26 / 43.2666 * 80, rel=1e-4)
    pixels = decode(RAMP.read_bytes(), "ramp", color=True)
    y, x = np.mgrid[:48, :64]
    assert np.abs(pixels - np.stack([4 * x, 5 * y, 2 * (x + y)], axis=-1)).mean() < 3


@pytest.mark.parametrize("size", [8, 40, 300, -1])
def test_broken_heic_is_refused_by_name(size: int) -> None:
    pytest.importorskip("pi_heif", reason="needs the extra heic")
    with pytest.raises(DataError, match=r"^broken"):
        decode(RAMP.read_bytes()[:size], "broken", color=False)


def test_avif_and_others_are_not_taken_for_heic() -> None:
    assert is_heif(RAMP.read_bytes()[:64])
    assert not is_heif(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf")
    assert is_heif(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic")
    assert not is_heif(b"\xff\xd8\xff\xe0" + bytes(60))


def test_a_single_photo_is_a_capture_of_one_image(photos: Path) -> None:
    for location in (photos / "a.jpg", f"images:{photos / 'a.jpg'}"):
        capture = read(location)
        assert (list(capture.images.names), capture.format) == (["a.jpg"], "images")
        assert capture.files.read("a.jpg") == (photos / "a.jpg").read_bytes()


def test_a_folder_of_captures_is_not_read_as_photos(folder: Path, tmp_path: Path) -> None:
    images = folder / "sensors" / "records_data"
    images.mkdir()
    Image.new("L", (4, 4)).save(images / "0.jpg")
    place = tmp_path / "place"
    place.mkdir()
    for name in ("mapping", "query"):
        shutil.copytree(folder, place / name)
    with pytest.raises(
        DataError, match=f"place: holds captures; say which: kapture:{place}/mapping, kapture:{place}/query"
    ):
        read(place)
    assert len(read(f"images:{place}").images) == 2
