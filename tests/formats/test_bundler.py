"""Bundler: a camera by hand, real reprojections, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from scenes import captures, check_same_cameras, check_same_observations, converted, maupertuis, reprojection_errors

from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project

SIZE = "SIMPLE_PINHOLE 100 80 1 50 40"
# At the origin, looking along world y: Bundler's camera has x right, y up (world z) and z back (world -y).
CAMERA = "50 0 0\n1 0 0\n0 0 1\n0 -1 0\n0 0 0\n"
# (3, 5, 2) is 5 in front, 3 right, 2 up: 50 * 3/5 = 30 right of the centre and 50 * 2/5 = 20 above it.
POINT = "3 5 2\n10 20 30\n1 0 4 30 20\n"


def saved(
    folder: Path, cameras: str = CAMERA, points: str = POINT, names: str = "0.jpg\n", counts: str = "1 1"
) -> Path:
    (folder / "list.txt").write_text(names)
    (folder / "bundle.out").write_text(f"# Bundle file v0.3\n{counts}\n{cameras}{points}")
    return folder / "bundle.out"


def test_camera_placed_by_hand_sees_the_point_up_and_right(tmp_path):
    capture = read(saved(tmp_path), camera=SIZE)
    point = capture.pose("0.jpg").apply(np.array([[3.0, 5, 2]]))
    assert np.allclose(point, [[3, -2, 5]])
    assert np.allclose(project(capture.camera("0.jpg"), point), [[80, 20]])
    assert capture.reconstruction.keypoints["bundler"].load("0.jpg").tolist() == [[80, 20]]
    assert find_format(tmp_path / "bundle.out")[0].name == "bundler"


def test_distortion_is_bundlers_polynomial(tmp_path):
    camera = read(saved(tmp_path, CAMERA.replace("50 0 0", "50 0.1 -0.2", 1)), camera=SIZE).camera("0.jpg")
    r2 = 0.6**2 + 0.4**2
    factor = 1 + 0.1 * r2 - 0.2 * r2**2
    assert np.allclose(project(camera, np.array([[3.0, -2, 5]])), [[50 + 30 * factor, 40 - 20 * factor]])


def test_real_scene_reprojects_as_before(data, tmp_path):
    capture = maupertuis(data)
    again = converted(capture, "bundler", camera="SIMPLE_PINHOLE 1919 1079 1 1 1")
    check_same_cameras(capture, again)
    before, after = reprojection_errors(capture), reprojection_errors(again)
    assert len(after) == 3355
    assert abs(np.median(after) - 0.25) < 0.01
    assert np.allclose(np.sort(before), np.sort(after), atol=1e-6)
    assert np.array_equal(again.reconstruction.points.rgb, capture.reconstruction.points.rgb)


def test_sizes_come_from_the_images(data, tmp_path):
    write(maupertuis(data), f"bundler:{tmp_path / 'out'}")
    capture = read(f"bundler:{tmp_path / 'out'}")
    assert capture.camera("00.jpg") == Camera("SIMPLE_PINHOLE", 1919, 1079, (1847.53, 959.5, 539.5))
    assert capture.files.stamp("00.jpg") != "missing"


@settings(max_examples=40, deadline=None)
@given(captures((Camera("RADIAL", 64, 48, (50.0, 32.0, 24.0, 0.1, -0.01)),)))
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    try:
        again = converted(capture, "bundler", camera="SIMPLE_PINHOLE 64 48 1 1 1")
    except DataError as error:
        assert "would not read back" in str(error)
        return
    assert again.images.names == capture.images.names
    check_same_observations(capture, again)
    posed = [name for name in capture.images.names if capture.pose(name) is not None]
    assert posed == [name for name in again.images.names if again.pose(name) is not None]
    for name in posed:
        assert np.abs(again.pose(name).rotation - capture.pose(name).rotation).max() < 1e-12
        assert again.camera(name) == capture.camera(name)


def test_focal_length_0_is_an_image_without_pose(tmp_path):
    capture = read(
        saved(tmp_path, CAMERA + "0 0 0\n" * 5, names="0.jpg\nb c.jpg 0 500\n".replace("b c", "b"), counts="2 1"),
        camera=SIZE,
    )
    assert capture.images.names == ["0.jpg", "b.jpg"]
    assert capture.has_pose.tolist() == [True, False]
    assert capture.camera("b.jpg").model == "UNKNOWN_CAMERA"
    assert converted(capture, "bundler", camera=SIZE).has_pose.tolist() == [True, False]


def test_aachen_sample_is_read_with_the_y_axis_up(data):
    folder = data / "format_samples" / "Aachen-Day-Night"
    capture = read(folder / "3D-models" / "aachen_cvpr2018_db.out", images=folder / "images_upright")
    assert capture.images.names == ["db/1045.jpg", "db/4446.jpg", "db/1135.jpg"]
    assert len(capture.reconstruction.points) == 5
    assert (capture.camera("db/4446.jpg").width, capture.camera("db/4446.jpg").height) == (1200, 1600)
    keypoints = capture.reconstruction.keypoints["bundler"].load("db/4446.jpg")
    # Measured at (980.898, -247.696) from the centre, y up: kapture mirrors it to (1580.9, 552.3).
    expected = [600 + 980.898010254, 800 + 247.695999146]
    assert np.abs(keypoints - expected).sum(1).min() < 1e-9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": "2 1"}, r"list.txt: 1 images, bundle.out has 2 cameras"),
        ({"names": "../0.jpg\n"}, r"list.txt:1: image .*leads out"),
        ({"cameras": CAMERA.replace("0 -1 0", "0 1 0")}, r"bundle.out:3: no rotation: determinant -1"),
        ({"cameras": CAMERA.replace("50 0 0", "nan 0 0", 1)}, r"bundle.out:3: not a number"),
        ({"cameras": CAMERA.replace("50 0 0", "-50 0 0", 1)}, r"bundle.out:3: RADIAL with focal length -50"),
        ({"points": POINT.replace("10 20 30", "10 20 300")}, r"bundle.out:9: colour"),
        ({"points": POINT.replace("1 0 4", "1 1 4")}, r"bundle.out:10: observation of key 4 in image 1"),
        ({"points": POINT.replace("1 0 4", "2 0 4")}, r"bundle.out:10: 5 numbers; expected the count"),
        ({"points": ""}, r"bundle.out:7: the file ends here; expected the position of a point"),
        ({"points": POINT + "1\n"}, r"bundle.out:11: more lines than the file says"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused_by_line(changes, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(f"bundler:{saved(tmp_path, **changes)}", camera=SIZE)


def test_images_of_unknown_size_and_other_versions_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"list.txt:1: the file does not tell the size of '0.jpg'.*give --images"):
        read(saved(tmp_path))
    (tmp_path / "bundle.out").write_text("# Bundle file v0.4\n")
    with pytest.raises(DataError, match=r"bundle.out:1: not a bundle file of a known version"):
        read(tmp_path / "bundle.out")


def test_cameras_that_bundler_cannot_hold_are_refused_at_write_time(data, tmp_path):
    with pytest.raises(DataError, match=r"camera 'cam0': PINHOLE .* Bundler holds only"):
        write(read(data / "strecha" / "fountain-P11" / "mapping"), f"bundler:{tmp_path / 'out'}")
