"""The gate that images are decoded through, against OpenCV and values worked by hand."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vloc.errors import DataError
from vloc.formats.image_header import image_header
from vloc.formats.images import FolderImages, check_size, decode
from vloc.geometry.camera import Camera


def encoded(pixels: np.ndarray | Image.Image, form: str = "PNG", **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def photo() -> np.ndarray:
    """A colour picture with structure at all scales."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (12, 16, 3), np.uint8)
    return cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC)


def test_grey_and_colour_jpeg_decode_to_the_pixels_opencv_gives(photo):
    data = encoded(photo, "JPEG", quality=90)
    buffer = np.frombuffer(data, np.uint8)
    assert np.array_equal(decode(data, "x", color=False), cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE))
    assert np.array_equal(decode(data, "x", color=True), cv2.imdecode(buffer, cv2.IMREAD_COLOR)[..., ::-1])


def test_decoded_arrays_can_be_written_to_and_are_contiguous(photo):
    for color in (False, True):
        pixels = decode(encoded(photo, "JPEG"), "x", color=color)
        assert pixels.flags.writeable
        assert pixels.flags.c_contiguous


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM", "WEBP"])
def test_data_cut_anywhere_is_refused_or_decodes_to_the_whole_image(form, photo):
    data = encoded(photo[:32, :32], form)
    whole = decode(data, "x", color=True)
    refused = 0
    for end in range(len(data)):
        try:
            assert np.array_equal(decode(data[:end], "photo.x", color=True), whole)
        except DataError as error:
            assert str(error).startswith("photo.x: ")
            refused += 1
    assert refused > 0.9 * len(data)


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"<html>404</html>", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused_by_name(data):
    with pytest.raises(DataError, match=r"^a/b\.jpg: "):
        decode(data, "a/b.jpg", color=False)


def test_postscript_is_refused_because_decoding_it_runs_another_program():
    with pytest.raises(DataError, match="not an image of a known kind"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "a.eps", color=False)


def test_image_beyond_the_pixel_limit_is_refused_before_it_is_decoded():
    bomb = encoded(Image.new("1", (15000, 14000)))
    with pytest.raises(DataError, match="15000 x 14000 px, expected at most 200000000"):
        decode(bomb, "bomb.png", color=False)
    with pytest.raises(DataError, match="expected at most 99 in all"):
        decode(encoded(Image.new("L", (10, 10))), "a.png", color=False, max_pixels=99)


def test_limit_of_pillow_neither_warns_nor_refuses_within_ours():
    pixels = decode(encoded(Image.new("1", (12000, 8000))), "x", color=False)
    assert pixels.shape == (8000, 12000)


def test_sixteen_bits_become_the_upper_eight_for_grey_and_colour():
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    assert np.array_equal(decode(cv2.imencode(".png", ramp)[1].tobytes(), "x", color=False), ramp >> 8)
    assert np.array_equal(decode(cv2.imencode(".tiff", ramp)[1].tobytes(), "x", color=True)[..., 2], ramp >> 8)
    rgb = np.stack([ramp, ramp.T, ramp[::-1]], axis=2)
    assert np.array_equal(decode(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes(), "x", color=True), rgb >> 8)


def test_grey_of_32_bits_is_read_as_16_and_refused_beyond():
    values = np.array([[0, 255, 256, 65535]], np.int32)
    assert decode(encoded(values, "TIFF"), "x", color=False).tolist() == [[0, 0, 1, 255]]
    with pytest.raises(DataError, match="grey values from 0 to 65536"):
        decode(encoded(np.array([[0, 65536]], np.int32), "TIFF"), "x", color=False)


def test_floats_from_0_to_1_are_scaled_and_others_refused():
    assert decode(encoded(np.array([[0, 0.5, 1]], np.float32), "TIFF"), "x", color=False).tolist() == [[0, 128, 255]]
    for bad in (2.0, -0.5, np.nan):
        with pytest.raises(DataError, match="mode F"):
            decode(encoded(np.array([[0, bad]], np.float32), "TIFF"), "x", color=False)


def test_alpha_is_ignored_for_colour_and_grey():
    rgba = np.array([[[10, 20, 30, 0], [40, 50, 60, 255]]], np.uint8)
    assert decode(encoded(rgba), "x", color=True).tolist() == [[[10, 20, 30], [40, 50, 60]]]
    la = Image.merge("LA", [Image.new("L", (1, 1), 77), Image.new("L", (1, 1), 3)])
    assert decode(encoded(la), "x", color=False).tolist() == [[77]]


def test_cmyk_palette_and_one_bit_are_converted():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(decode(encoded(cmyk, "JPEG"), "x", color=True).astype(int) - [255, 0, 0]).max() < 8
    red = Image.new("P", (1, 1), 1)
    red.putpalette([0, 0, 0, 200, 10, 20])
    assert decode(encoded(red), "x", color=True).tolist() == [[[200, 10, 20]]]
    assert decode(encoded(red, transparency=1), "x", color=True).tolist() == [[[200, 10, 20]]]
    # ITU-R 601 luma of (200, 10, 20), not the palette's index.
    assert decode(encoded(red), "x", color=False).tolist() == [[round(0.299 * 200 + 0.587 * 10 + 0.114 * 20)]]
    bit = Image.new("1", (2, 1))
    bit.putpixel((1, 0), 1)
    assert decode(encoded(bit), "x", color=False).tolist() == [[0, 255]]


def test_first_frame_of_an_animation_is_taken():
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data, "x", color=False).tolist() == [[10] * 4] * 4


def test_exif_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(Image.new("L", (30, 10)), "JPEG", exif=exif), "x", color=False).shape == (10, 30)


@pytest.mark.parametrize(("size", "wanted"), [((1000, 600), 500), ((600, 1000), 125), ((1001, 7), 300)])
def test_reduced_jpeg_keeps_at_least_the_size_asked_for_and_shrinks(size, wanted):
    pixels = decode(encoded(Image.new("L", size), "JPEG"), "x", color=True, min_size=wanted)
    assert wanted <= max(pixels.shape) < max(size)


def test_bytes_after_the_image_do_no_harm(photo):
    data = encoded(photo, "JPEG")
    assert np.array_equal(decode(data + b"garbage", "x", color=True), decode(data, "x", color=True))


def test_image_of_another_size_than_its_camera_is_refused():
    camera = Camera("SIMPLE_PINHOLE", 4, 3, (1.0, 2.0, 1.5))
    check_size(np.zeros((3, 4), np.uint8), camera, "x")
    with pytest.raises(DataError, match="x: image of 3 x 4 px, its camera says 4 x 3"):
        check_size(np.zeros((4, 3), np.uint8), camera, "x")


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a/../../secret", "..", "", "a\0b", "a\nb"])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    files = FolderImages(tmp_path / "images")
    with pytest.raises(DataError):
        files.read(name)
    assert files.stamp(name) == "missing"


def test_symbolic_links_may_not_leave_the_folder_but_the_folder_may_be_one(tmp_path):
    inside, outside = tmp_path / "real", tmp_path / "secret.jpg"
    inside.mkdir()
    outside.write_bytes(b"secret")
    (inside / "a b ü.jpg").write_bytes(b"fine")
    (inside / "link.jpg").symlink_to(outside)
    (inside / "alias.jpg").symlink_to("a b ü.jpg")
    (tmp_path / "records_data").symlink_to(inside)
    files = FolderImages(tmp_path / "records_data")
    assert files.read("a b ü.jpg") == files.read("alias.jpg") == b"fine"
    with pytest.raises(DataError, match="symbolic link"):
        files.read("link.jpg")


def test_stamp_changes_with_the_file_and_missing_files_are_named(tmp_path):
    files, path = FolderImages(tmp_path), tmp_path / "a.jpg"
    assert files.stamp("a.jpg") == "missing"
    with pytest.raises(DataError, match=r"a\.jpg: No such file"):
        files.read("a.jpg")
    path.write_bytes(b"1")
    before = files.stamp("a.jpg")
    os.utime(path, ns=(1, 1))
    assert files.stamp("a.jpg") != before


@pytest.mark.shared
def test_real_photos_decode_to_the_pixels_opencv_gives(data: Path):
    path = next((data / "strecha/fountain-P11/mapping/sensors/records_data").glob("*.jpg"))
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    assert np.array_equal(decode(path.read_bytes(), "x", color=False), grey)


def test_headers_that_claim_more_pixels_than_any_image_has_are_refused(tmp_path):
    file = io.BytesIO()
    Image.new("L", (32, 24)).save(file, "GIF")
    data = bytearray(file.getvalue())
    place = data.index(b"\x2c\0\0\0\0\x20\0\x18\0") + 5
    data[place : place + 4] = b"\xff" * 4  # the frame, beyond the screen
    with pytest.raises(DataError, match=r"a\.gif: broken GIF image: Image size .* exceeds"):
        decode(bytes(data), "a.gif", color=False)
    with pytest.raises(DataError, match=r"a\.bmp: image of 67108864 x 1 px"):
        image_header(io.BytesIO(b"BM" + bytes(12) + (40).to_bytes(4, "little") + (2**26).to_bytes(4, "little")
                                + (1).to_bytes(4, "little") + b"\1\0\x08\0" + bytes(24)), "a.bmp")  # fmt: skip
