"""Cameras refuse what would crash or corrupt later, and name their parts."""

import numpy as np
import pycolmap
import pytest

from vloc.geometry.camera import CAMERA_PARAMS, Camera
from vloc.geometry.projection import project

OPENCV = Camera("OPENCV", 640, 480, (500.0, 510.0, 320.0, 240.0, 0.1, 0.2, 0.3, 0.4))


@pytest.mark.parametrize("model", CAMERA_PARAMS)
def test_parameter_counts_and_order_are_colmaps(model):
    theirs = pycolmap.Camera(model=model, width=10, height=10, params=[1.0] * len(CAMERA_PARAMS[model]))
    assert theirs.verify_params()
    assert [name.strip() for name in theirs.params_info.split(",")] == list(CAMERA_PARAMS[model])


def test_parts_of_a_camera_with_two_focal_lengths():
    assert OPENCV.focal == (500, 510) and OPENCV.principal_point == (320, 240)
    assert OPENCV.distortion == (0.1, 0.2, 0.3, 0.4)
    assert OPENCV.matrix.tolist() == [[500, 0, 320], [0, 510, 240], [0, 0, 1]]


def test_parts_of_a_camera_with_one_focal_length():
    camera = Camera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, 0.1))
    assert camera.focal == (500, 500) and camera.principal_point == (320, 240) and camera.distortion == (0.1,)


def test_shifting_moves_only_the_principal_point():
    assert OPENCV.shifted(0.5).params == (500, 510, 320.5, 240.5, 0.1, 0.2, 0.3, 0.4)
    assert OPENCV.shifted(0.5).shifted(-0.5) == OPENCV and OPENCV.shifted(0.0) is OPENCV


@pytest.mark.parametrize("model", CAMERA_PARAMS)
def test_a_wider_model_is_the_same_camera(model):
    values = {"f": 800.0, "fx": 800.0, "fy": 780.0, "cx": 510.0, "cy": 395.0, "omega": 0.6}
    camera = Camera(model, 1000, 800, tuple(values.get(name, 0.01) for name in CAMERA_PARAMS[model]))
    wider = camera.generalised()
    points = np.random.default_rng(0).uniform([-0.5, -0.5, 1], [0.5, 0.5, 2], (50, 3))
    assert wider.num_focals == 2 and wider.distortion
    assert np.allclose(project(wider, points), project(camera, points), atol=1e-9)


def test_adjusted_intrinsics_by_hand():
    camera = Camera("OPENCV", 640, 480, (100.0, 200.0, 320.0, 240.0, 0.1, 0.2, 0.3, 0.4))
    assert np.allclose(camera.adjusted(np.log(2)).params, (200, 400, 320, 240, 0.1, 0.2, 0.3, 0.4))
    moved = camera.adjusted(0.0, 0.05, 3.0, -4.0, np.log(1.5))
    assert np.allclose(moved.params, (100, 300, 323, 236, 0.15, 0.2, 0.3, 0.4))
    pinhole = Camera("SIMPLE_PINHOLE", 640, 480, (100.0, 320.0, 240.0))
    assert pinhole.adjusted(0.0, 0.0, 1.0, 2.0, 0.5).params == (100, 321, 242)


def test_no_image_is_larger_than_keypoints_can_tell_apart():
    assert np.float32(2**24 - 1) != np.float32(2**24) == np.float32(2**24 + 1)
    assert Camera("UNKNOWN_CAMERA", 2**24, 1).width == 2**24
    for size in ((2**24 + 1, 1), (1, 2**24 + 1), (0, 1), (1, 0)):
        with pytest.raises(ValueError, match="image size"):
            Camera("UNKNOWN_CAMERA", *size)


def test_an_unknown_camera_has_a_size_only():
    camera = Camera("UNKNOWN_CAMERA", 640, 480)
    assert not camera.is_known and camera.shifted(0.5) is camera


@pytest.mark.wrong_shapes
@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (("PINHOLE", 0, 480, (1.0, 1, 1, 1)), "image size 0 x 480"),
        (("PINOLE", 640, 480, (1.0, 1, 1, 1)), "camera model 'PINOLE', expected one of"),
        (("PINHOLE", 640, 480, (1.0, 1, 1)), "PINHOLE with 3 parameters, expected 4: fx, fy, cx, cy"),
        (("PINHOLE", 640, 480, (1.0, float("nan"), 1, 1)), "expected finite"),
        (("PINHOLE", 640, 480, (1.0, 0.0, 1, 1)), "focal length 0.0, expected positive"),
    ],
)
def test_impossible_cameras_are_refused(camera, message):
    with pytest.raises(ValueError, match=message):
        Camera(*camera)


def test_an_image_of_one_pixel_is_an_image():
    assert (Camera("UNKNOWN_CAMERA", 1, 1).width, Camera("UNKNOWN_CAMERA", 1, 1).height) == (1, 1)
    for size in ((0, 1), (1, 0), (-1, 1), (1, -1)):
        with pytest.raises(ValueError, match="image size"):
            Camera("UNKNOWN_CAMERA", *size)


def test_adjusting_turns_one_thing_at_a_time():
    assert OPENCV.adjusted(log_focal=0.0).params == OPENCV.params
    longer = OPENCV.adjusted(log_focal=0.6931471805599453).params  # ln 2
    assert longer == pytest.approx((1000, 1020, *OPENCV.params[2:]))
    assert OPENCV.adjusted(distortion=0.5).params == (500, 510, 320, 240, 0.6, 0.2, 0.3, 0.4)
    assert OPENCV.adjusted(x=3.0, y=-4.0).params == (500, 510, 323, 236, 0.1, 0.2, 0.3, 0.4)
    pinhole = Camera("SIMPLE_PINHOLE", 640, 480, (500.0, 320.0, 240.0))
    assert pinhole.adjusted(distortion=0.5) == pinhole


def test_moves_to_is_the_inverse_of_adjusted() -> None:
    camera = Camera("OPENCV", 1000, 800, (900.0, 910.0, 505.0, 395.0, 0.05, -0.02, 0.001, 0.0))
    np.testing.assert_allclose(
        camera.moves_to(camera.adjusted(0.1, 0.02, 3.0, -4.0, 0.05)), [0.1, 0.02, 3.0, -4.0, 0.05]
    )
    assert camera.moves_to(camera).tolist() == [0] * 5
    plain = Camera("PINHOLE", 640, 480, (500.0, 510.0, 320.0, 240.0))
    np.testing.assert_allclose(plain.moves_to(plain.adjusted(0.1)), [0.1, 0, 0, 0, 0], atol=1e-12)


def test_a_reduced_camera_sees_the_same_by_larger_pixels() -> None:
    camera = Camera("OPENCV", 1200, 900, (800.0, 810.0, 605.0, 445.0, 0.05, -0.02, 0.001, 0.0))
    points = np.random.default_rng(0).uniform([-1, -1, 2], [1, 1, 4], (20, 3))
    small = camera.reduced(400)
    assert small.size == (400, 300) and camera.reduced(1200) is camera
    np.testing.assert_allclose(project(small, points), project(camera, points) / 3)
