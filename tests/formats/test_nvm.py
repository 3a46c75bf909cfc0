"""NVM: a camera by hand, the distortion's own formula, real reprojections, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from scenes import captures, check_same_cameras, check_same_observations, converted, maupertuis, reprojection_errors

from vloc.data.capture import Capture, Sensor
from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project

SIZE = "SIMPLE_PINHOLE 100 80 1 50 40"
# At (10, 0, 0), a quarter turn about x: the camera's y is the world's -z, its z the world's y.
HALF = repr(0.5**0.5)
CAMERA = f"0.jpg 50 {HALF} {HALF} 0 0 10 0 0 0 0"
# (13, 5, 2) is 5 in front, 3 right, 2 up: at (30, -20) from the centre, y down.
POINT = "13 5 2 10 20 30 1 0 4 30 -20"


def saved(folder: Path, camera: str = CAMERA, point: str = POINT, rest: str = "", header: str = "NVM_V3") -> Path:
    (folder / "a.nvm").write_text(f"{header}\n\n1\n{camera}\n\n1\n{point}\n{rest}")
    return folder / "a.nvm"


def test_camera_placed_by_hand_sees_the_point_up_and_right(tmp_path):
    capture = read(saved(tmp_path), camera=SIZE)
    point = capture.pose("0.jpg").apply(np.array([[13.0, 5, 2]]))
    assert np.allclose(point, [[3, -2, 5]])
    assert np.allclose(project(capture.camera("0.jpg"), point), [[80, 20]])
    assert capture.reconstruction.keypoints["nvm"].load("0.jpg").tolist() == [[80, 20]]
    assert find_format(tmp_path / "a.nvm")[0].name == "nvm"


def test_measurements_from_the_corner_are_told_by_their_range(tmp_path):
    capture = read(saved(tmp_path, point=POINT.replace("30 -20", "80 20")), camera=SIZE)
    assert capture.reconstruction.keypoints["nvm"].load("0.jpg").tolist() == [[80, 20]]
    assert "taken as from the corner" in capture.notes[0]


@pytest.mark.parametrize("r", [-0.06, -0.02, 0.02, 0.06])
def test_distortion_goes_from_the_image_to_the_ray(r, tmp_path):
    capture = read(saved(tmp_path, CAMERA.removesuffix("0 0") + f"{r} 0"), camera=SIZE)
    told = float(capture.notes[0].split(" to ")[1].split()[0])
    assert told < 0.1
    # The manual: ray = (1 + r m^2) m of a measured m; half way to the corner of the image of focal length 50.
    m = np.array([0.5, 0.4])
    ray = (1 + r * (m @ m)) * m
    assert np.allclose(
        project(capture.camera("0.jpg"), np.array([[*ray, 1]])), [50 + 50 * m[0], 40 + 50 * m[1]], atol=0.2
    )


def test_lens_of_one_coefficient_survives_within_what_is_told(tmp_path):
    camera = Camera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, -0.03))
    capture = read(saved(tmp_path), camera=SIZE)
    lens = Capture({"camera0": Sensor("camera", camera=camera)}, capture.images, capture.trajectory)
    losses = write(lens, f"nvm:{tmp_path / 'out'}", transfer="skip")
    told = float(next(line for line in losses if "distortion" in line).split("up to ")[1].split()[0])
    again = read(f"nvm:{tmp_path / 'out'}", camera="SIMPLE_PINHOLE 640 480 1 1 1").camera("0.jpg")
    rays = np.array([[x, y, 1.0] for x in np.linspace(-0.6, 0.6, 9) for y in np.linspace(-0.45, 0.45, 9)])
    assert np.abs(project(camera, rays) - project(again, rays)).max() < told + 0.01 < 0.2


def test_lens_that_one_coefficient_cannot_describe_is_refused(tmp_path):
    camera = Camera("RADIAL", 640, 480, (500.0, 320.0, 240.0, -0.3, 0.4))
    capture = read(saved(tmp_path), camera=SIZE)
    lens = Capture({"camera0": Sensor("camera", camera=camera)}, capture.images, capture.trajectory)
    with pytest.raises(DataError, match=r"NVM has one coefficient of distortion, which is off by"):
        write(lens, f"nvm:{tmp_path / 'out'}")


def test_real_scene_reprojects_as_before(data, tmp_path):
    capture = maupertuis(data)
    again = converted(capture, "nvm", camera="SIMPLE_PINHOLE 1919 1079 1 1 1")
    check_same_cameras(capture, again)
    before, after = reprojection_errors(capture), reprojection_errors(again)
    assert len(after) == 3355
    assert abs(np.median(after) - 0.25) < 0.01
    assert np.allclose(np.sort(before), np.sort(after), atol=1e-6)
    assert np.array_equal(again.reconstruction.points.rgb, capture.reconstruction.points.rgb)


@settings(max_examples=40, deadline=None)
@given(captures(cameras=(Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0)),), all_posed=True))
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    try:
        again = converted(capture, "nvm", camera="SIMPLE_PINHOLE 64 48 1 1 1")
    except DataError as error:
        assert "would not read back" in str(error)
        return
    check_same_cameras(capture, again)
    check_same_observations(capture, again)


@settings(max_examples=20, deadline=None)
@given(captures(cameras=(Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0)),)))
def test_images_without_pose_are_left_out_and_told(drawn):
    capture = drawn()
    posed = [name for name in capture.images.names if capture.pose(name) is not None]
    try:
        again = converted(capture, "nvm", camera="SIMPLE_PINHOLE 64 48 1 1 1")
    except DataError as error:
        assert "would not read back" in str(error)
        return
    assert again.images.names == posed
    check_same_observations(capture, again)


def test_aachen_sample_counts_from_the_corner(data):
    folder = data / "format_samples" / "Aachen-Day-Night"
    capture = read(folder / "3D-models" / "aachen_cvpr2018_db.nvm", images=folder / "images_upright")
    assert capture.images.names == ["db/1045.jpg", "db/4446.jpg", "db/1135.jpg"]
    keypoints = capture.reconstruction.keypoints["nvm"].load("db/4446.jpg")
    assert [980.898, 247.696] in keypoints.tolist()
    assert np.allclose(capture.pose("db/1045.jpg").center, [738.038, -6.17486, -41.8371])
    # The sign of a quaternion is free; ours has no negative scalar part.
    written = np.array([-0.0305504, -0.212047, 0.12058, 0.969311])
    assert np.allclose(capture.cam_from_world.quat_wxyz[0], -written, atol=1e-5)


def test_further_models_are_counted_not_mixed_in(data):
    folder = data / "format_samples" / "Aachen-Day-Night"
    capture = read(folder / "3D-models" / "aachen_two_parts.nvm", images=folder / "images_upright")
    assert capture.images.names == ["db/1045.jpg", "db/4446.jpg"]
    assert any("1 images of further models left out" in line for line in capture.left_out)
    assert any("lines after the models left unread" in note for note in capture.notes)


def test_blanks_of_names_are_quotation_marks(tmp_path):
    capture = read(saved(tmp_path, CAMERA.replace("0.jpg", 'my"photo.jpg')), camera=SIZE)
    assert capture.images.names == ["my photo.jpg"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": "NVM_V3 FixedK 1 2 3 4 5"}, r"a.nvm:1: no NVM_V3 without fixed calibration; .*FixedK"),
        ({"camera": "0.jpg 50 1 0 0"}, r"a.nvm:4: 5 fields; expected 11"),
        ({"camera": CAMERA.replace("0.jpg", "../0.jpg")}, r"a.nvm:4: image .*leads out"),
        ({"camera": CAMERA.replace("50", "nan")}, r"a.nvm:4: not a number"),
        ({"camera": CAMERA.replace("50", "0")}, r"a.nvm:4: image size|a.nvm:4: SIMPLE_PINHOLE with focal length 0"),
        ({"camera": "0.jpg 50 0 0 0 0 10 0 0 0 0"}, r"a.nvm:4: quaternion of norm 0"),
        ({"camera": CAMERA.removesuffix("0 0") + "-9 0"}, r"a.nvm:4: distortion -9.0 folds"),
        ({"point": "1 2 3"}, r"a.nvm:7: 3 numbers"),
        ({"point": POINT.replace("1 0 4", "1 7 4")}, r"a.nvm:7: observation of key 4 in image 7"),
        ({"point": POINT.replace("10 20 30", "1.5 20 30")}, r"a.nvm:7: colour"),
        ({"rest": "what\n"}, r"a.nvm:8: neither a further model nor the end"),
        ({"rest": "2\n"}, r"a.nvm:8: the file ends here"),
    ],
)
def test_what_cannot_be_true_is_refused_by_line(changes, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path, **changes), camera=SIZE)
