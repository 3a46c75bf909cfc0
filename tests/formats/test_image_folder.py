"""Folders of images: what EXIF says, what is guessed, and what cannot be read."""

import io
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vloc.errors import DataError
from vloc.formats.access import read
from vloc.formats.image_folder import with_devices
from vloc.formats.image_header import image_header
from vloc.formats.images import decode


def save(path: Path, size: tuple[int, int] = (360, 240), tags: dict | None = None, camera: dict | None = None) -> None:
    exif = Image.Exif()
    exif.update(camera or {})
    exif.get_ifd(0x8769).update(tags or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size).save(path, exif=exif)


def focal(folder: Path, name: str) -> float:
    return read(folder).camera(name).focal[0]


def test_the_35_mm_tag_is_the_focal_length_of_an_equal_diagonal(tmp_path):
    # 3:2 like the 36 x 24 mm film: 35 mm are 35/36 of the width.
    save(tmp_path / "a.jpg", (360, 240), {0xA405: 35})
    assert focal(tmp_path, "a.jpg") == pytest.approx(350)


def test_focal_plane_resolution_counts_pixels_of_the_picture_as_taken(tmp_path):
    # 10 mm at 2540 pixels an inch are 1000 px of 3600; the stored picture is a tenth as wide.
    save(tmp_path / "a.jpg", (360, 240), {0x920A: IFDRational(10), 0xA20E: IFDRational(2540), 0xA210: 2, 0xA002: 3600})
    assert focal(tmp_path, "a.jpg") == pytest.approx(100)


def test_sensor_width_of_a_known_camera_serves_last(tmp_path):
    # APS-C of 22.2 mm: 11.1 mm are half the width.
    save(tmp_path / "a.jpg", (360, 240), {0x920A: IFDRational(111, 10)}, {0x010F: "Canon", 0x0110: "Canon EOS 40D"})
    assert focal(tmp_path, "a.jpg") == pytest.approx(180)


def test_focal_length_without_a_source_is_guessed_and_counted(tmp_path):
    save(tmp_path / "b/a.jpg", (300, 400), {0xA405: 0, 0x920A: IFDRational(0, 0)})
    capture = read(tmp_path)
    assert capture.camera("b/a.jpg").params == (480, 150, 200, 0)
    assert any("1 images with a guessed focal length" in note for note in capture.notes)


@pytest.mark.parametrize(
    ("tags", "option", "source"),
    [
        ({0xA405: 35}, None, "EXIF 35 mm tag"),
        ({0x920A: IFDRational(10), 0xA20E: IFDRational(2540)}, None, "EXIF focal plane"),
        ({}, None, "guessed"),
        ({0xA405: 35}, "SIMPLE_PINHOLE,350,180,120", "given"),
    ],
)
def test_a_sensor_says_where_its_focal_length_comes_from(tmp_path, tags, option, source):
    save(tmp_path / "a.jpg", (360, 240), tags)
    sensor = read(tmp_path, camera=option).sensor("a.jpg")
    assert sensor.focal_source == source
    assert sensor.has_guessed_focal == (source == "guessed")
    assert sensor.has_exif_focal == source.startswith("EXIF")


def test_images_of_one_size_and_focal_length_share_a_sensor_and_come_sorted(tmp_path):
    for name, size in (("b.jpg", (30, 20)), ("a/z.PNG", (30, 20)), ("a/y.jpg", (20, 30))):
        save(tmp_path / name, size)
    (tmp_path / "notes.txt").write_text("no image")
    save(tmp_path / ".thumbnails/x.jpg")
    capture = read(tmp_path)
    assert list(capture.images.names) == ["a/y.jpg", "a/z.PNG", "b.jpg"]
    assert capture.images.timestamps.tolist() == [0, 1, 2]
    assert capture.camera("a/z.PNG") is capture.camera("b.jpg")
    assert len(capture.sensors) == 2
    assert {sensor.camera.model for sensor in capture.sensors.values()} == {"SIMPLE_RADIAL"}


def test_camera_option_serves_all_images_in_both_forms(tmp_path):
    save(tmp_path / "a.jpg", (30, 20))
    assert read(tmp_path, camera="PINHOLE,25,26,15,10").camera("a.jpg").params == (25, 26, 15, 10)
    assert read(tmp_path, camera="PINHOLE 30 20 25 26 15 10").camera("a.jpg").params == (25, 26, 15, 10)
    with pytest.raises(DataError, match="--camera 'PINHOLE,25'"):
        read(tmp_path, camera="PINHOLE,25")


def test_orientation_is_counted_and_leaves_the_intrinsics(tmp_path):
    save(tmp_path / "a.jpg", (30, 20), camera={0x0112: 6})
    save(tmp_path / "b.jpg", (30, 20), camera={0x0112: 99})
    capture = read(tmp_path)
    assert (capture.camera("a.jpg").width, capture.camera("a.jpg").height) == (30, 20)
    assert any("1 images with an EXIF orientation" in note for note in capture.notes)


def test_image_that_cannot_be_read_stays_and_fails_by_name_when_decoded(tmp_path):
    save(tmp_path / "a.jpg", (30, 20))
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    capture = read(tmp_path)
    assert list(capture.images.names) == ["a.jpg", "broken.jpg"]
    assert capture.camera("broken.jpg") == capture.camera("a.jpg")
    assert any("1 images that cannot be read (first: broken.jpg" in note for note in capture.notes)
    with pytest.raises(DataError, match=r"^broken\.jpg"):
        decode(capture.files.read("broken.jpg"), "broken.jpg", color=False)


def test_folder_without_a_readable_image_is_refused(tmp_path):
    with pytest.raises(DataError, match="no images here or below"):
        read(f"images:{tmp_path}")
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        read(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_exif_counts_as_none():
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    file.seek(0)
    header = image_header(file, "x")
    assert (header.width, header.height, header.orientation, header.focal_px) == (8, 8, 1, None)


@pytest.mark.shared
def test_real_photos_share_one_camera_from_their_exif(data: Path):
    capture = read(data / "sceaux_castle")
    assert (len(capture.images), len(capture.sensors), capture.notes) == (11, 1, ())
    # The photos' known focal length is 2905.88 px (openMVG's calibration of this camera).
    assert capture.camera(capture.images.names[0]).focal[0] == pytest.approx(2905.88, rel=0.03)


def header_of(path: Path):
    with path.open("rb") as file:
        return image_header(file, path.name)


def test_a_device_is_maker_model_lens_size_and_focal_length(tmp_path):
    lens = {0x920A: IFDRational(585, 100), 0xA434: "zoom, 35-420", 0xA404: 2}
    save(tmp_path / "a.jpg", (360, 240), lens, {0x010F: "Kodak", 0x0110: "Kodak  Z612"})
    assert header_of(tmp_path / "a.jpg").device == "kodak z612; zoom, 35-420; 360 x 240; 5.85 mm; zoom 2"


@pytest.mark.parametrize("camera", [{}, {0x010F: "Kodak"}])
def test_a_header_without_model_or_focal_length_names_no_device(tmp_path, camera):
    save(tmp_path / "a.jpg", (360, 240), {0x920A: IFDRational(0, 1)}, {0x010F: "Kodak", 0x0110: "Z612"})
    save(tmp_path / "b.jpg", (360, 240), {0xA405: 35}, camera)
    assert header_of(tmp_path / "a.jpg").device == header_of(tmp_path / "b.jpg").device == ""


def test_cameras_of_any_capture_learn_their_device_from_their_images(tmp_path):
    save(tmp_path / "a.jpg", (360, 240), {0x920A: 5}, {0x010F: "Kodak", 0x0110: "Z612"})
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    text = "SIMPLE_PINHOLE 360 240 300 180 120"
    (tmp_path / "list.txt").write_text(f"broken.jpg {text}\na.jpg {text}\n")
    capture = with_devices(read(tmp_path / "list.txt"))
    assert capture.sensor("a.jpg").device == "kodak z612; 360 x 240; 5 mm"
    assert capture.sensor("a.jpg").focal_source == "calibrated"
