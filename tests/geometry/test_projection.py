"""Projection through every camera model, against COLMAP's own and by hand."""

import numpy as np
import pycolmap
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.geometry.camera import CAMERA_PARAMS, Camera
from vloc.geometry.projection import (
    distortion_derivative,
    distortion_jacobian,
    focal_derivative,
    inside,
    project,
    unproject,
    widest,
)

VALUES = {
    "f": 800.0,
    "fx": 800.0,
    "fy": 780.0,
    "cx": 510.0,
    "cy": 395.0,
    "k": -0.05,
    "k1": -0.08,
    "k2": 0.02,
    "k3": 0.004,
    "k4": -0.003,
    "k5": 0.01,
    "k6": 0.002,
    "p1": 0.001,
    "p2": -0.0008,
    "omega": 0.6,
    "sx1": 0.0005,
    "sy1": -0.0003,
}
every_model = pytest.mark.parametrize("model", CAMERA_PARAMS)


def camera_of(model):
    return Camera(model, 1000, 800, tuple(VALUES[name] for name in CAMERA_PARAMS[model]))


def theirs(camera):
    return pycolmap.Camera(model=camera.model, width=camera.width, height=camera.height, params=camera.params)


def points_in_view(count=500):
    rng = np.random.default_rng(0)
    plane = np.concatenate([np.zeros((1, 2)), rng.uniform(-0.6, 0.6, (count - 1, 2))])
    return np.concatenate([plane, np.ones((count, 1))], axis=1) * rng.uniform(0.5, 9, (count, 1))


@every_model
def test_pixels_are_colmaps(model):
    points = points_in_view()
    assert np.abs(project(camera_of(model), points) - theirs(camera_of(model)).img_from_cam(points)).max() < 1e-9


@every_model
def test_unprojection_is_colmaps_and_undoes_projection(model):
    camera, points = camera_of(model), points_in_view()
    back = unproject(camera, project(camera, points))
    assert np.abs(back - points[:, :2] / points[:, 2:]).max() < 1e-12
    assert np.abs(back - theirs(camera).cam_from_img(project(camera, points))).max() < 1e-10


@every_model
def test_the_jacobian_is_the_slope_of_the_projection(model):
    camera, h = camera_of(model), 1e-6
    u, v = np.random.default_rng(1).uniform(-0.6, 0.6, (2, 50))
    at = lambda u, v: project(camera, np.stack([u, v, np.ones_like(u)], axis=1)).T  # noqa: E731
    slopes = [(at(u + h, v) - at(u - h, v)) / (2 * h), (at(u, v + h) - at(u, v - h)) / (2 * h)]
    assert np.abs(np.stack(slopes, axis=1) - distortion_jacobian(camera, u, v)).max() < 1e-5


def test_a_pinhole_by_hand():
    camera = Camera("PINHOLE", 640, 480, (100.0, 200.0, 320.0, 240.0))
    assert np.array_equal(project(camera, np.array([[1.0, 2.0, 4.0]])), [[345.0, 340.0]])  # 320 + 100/4, 240 + 200/2


@every_model
def test_points_at_or_behind_the_camera_have_no_pixel(model):
    behind = np.array([[0.1, 0.2, -1.0], [0.1, 0.2, 0.0], [0.0, 0.0, 2.0]])
    assert np.isnan(project(camera_of(model), behind)).all(1).tolist() == [True, True, False]


@every_model
def test_no_points_give_no_pixels(model):
    camera = camera_of(model)
    assert project(camera, np.zeros((0, 3))).shape == unproject(camera, np.zeros((0, 2))).shape == (0, 2)


def test_a_pixel_beyond_the_fold_of_a_distortion_has_no_ray():
    folding = Camera("SIMPLE_RADIAL", 1000, 1000, (500.0, 500.0, 500.0, -0.5))
    # r (1 - r^2 / 2) has its maximum 0.544 at r = 0.816: no ray is seen further out.
    rays = unproject(folding, np.array([[500 + 0.54 * 500, 500], [500 + 0.6 * 500, 500.0]]))
    assert np.isfinite(rays[0]).all() and np.isnan(rays[1]).all()


def test_a_picture_reaches_as_far_as_its_corners_where_these_have_rays():
    assert widest(Camera("PINHOLE", 80, 60, (40.0, 60.0, 40.0, 30.0))) == pytest.approx(np.hypot(1, 0.5))
    bent = Camera("SIMPLE_RADIAL", 80, 60, (80.0, 40.0, 30.0, -0.1))
    assert widest(bent) == pytest.approx(np.linalg.norm(unproject(bent, np.array([[80.0, 60.0]]))))
    beyond = Camera("SIMPLE_RADIAL", 80, 60, (40.0, 40.0, 30.0, -0.1))  # its corners are beyond the fold, at 1.83
    assert 1.15 < widest(beyond) < (1 / 0.3) ** 0.5


def test_points_inside_a_picture_are_those_it_shows_and_not_those_folded_into_it():
    lens = Camera("SIMPLE_RADIAL", 100, 80, (100.0, 50.0, 40.0, -0.06))
    points = np.array([[0, 0, 2], [0, 0, -2], [0.51, 0, 1], [0.55, 0, 1], [4.1, 0, 1]])
    # 100 (0.51 - 0.06 x 0.51^3) + 50 = 100.2; 4.1 (1 - 0.06 x 4.1^2) = -0.035, which is amid the picture
    rows, pixels = inside(lens, points)
    assert rows.tolist() == [0] and pixels.tolist() == [[50, 40]]
    rows, pixels = inside(lens, points, margin_px=1.0)
    assert rows.tolist() == [0, 2] and pixels[1] == pytest.approx([100.2041, 40], abs=1e-3)


@given(st.floats(-0.3, 0.3), st.floats(-0.05, 0.05), st.floats(-0.7, 0.7), st.floats(-0.7, 0.7))
def test_any_mild_radial_distortion_is_undone(k1, k2, u, v):
    camera = Camera("RADIAL", 1000, 800, (700.0, 500.0, 400.0, k1, k2))
    pixel = project(camera, np.array([[u, v, 1.0]]))
    assert np.abs(unproject(camera, pixel) - [u, v]).max() < 1e-10


@every_model
def test_the_derivatives_by_focal_length_and_distortion_are_slopes(model):
    camera, h = camera_of(model), 1e-6
    u, v = np.random.default_rng(2).uniform(-0.6, 0.6, (2, 50))
    points = np.stack([u, v, np.ones_like(u)], axis=1)
    at = lambda *step: project(camera.adjusted(*step), points).T  # noqa: E731
    assert np.abs((at(h) - at(-h)) / (2 * h) - focal_derivative(camera, u, v)).max() < 1e-5
    if camera.distortion:
        assert np.abs((at(0, h) - at(0, -h)) / (2 * h) - distortion_derivative(camera, u, v)).max() < 1e-5


def test_a_camera_without_distortion_has_no_derivative_by_it():
    with pytest.raises(ValueError, match="PINHOLE has no distortion"):
        distortion_derivative(camera_of("PINHOLE"), np.zeros(1), np.zeros(1))


@pytest.mark.parametrize("omega", [1e-4, 0.005, 0.0099, 0.0101, 0.3, 1.5])
def test_the_fov_model_is_its_definition_for_any_field_of_view(omega):
    camera = Camera("FOV", 1000, 800, (1.0, 1.0, 0.0, 0.0, omega))
    for r in (0.1, 0.5, 1.0):
        expected = np.arctan(2 * r * np.tan(omega / 2)) / omega  # Devernay and Faugeras 2001, eq. 13
        x, y = project(camera, np.array([[0.6 * r, -0.8 * r, 1.0]]))[0]
        np.testing.assert_allclose([x, y], [0.6 * expected, -0.8 * expected], rtol=2e-8)
        np.testing.assert_allclose(unproject(camera, np.array([[x, y]])), [[0.6 * r, -0.8 * r]], rtol=1e-9)


def test_a_fisheye_makes_angles_of_tangents():
    camera = Camera("OPENCV_FISHEYE", 1000, 800, (100.0, 200.0, 500.0, 400.0, 0.0, 0.0, 0.0, 0.0))
    # 60 degrees to the side, then 60 degrees up: pi / 3 times the focal length from the centre
    points = np.array([[np.sqrt(3), 0, 1], [0, -np.sqrt(3), 1], [0, 0, 5]])
    expected = [[500 + 100 * np.pi / 3, 400], [500, 400 - 200 * np.pi / 3], [500, 400]]
    np.testing.assert_allclose(project(camera, points), expected, atol=1e-9)
    np.testing.assert_allclose(unproject(camera, np.array(expected)), points[:, :2] / points[:, 2:], atol=1e-9)


def test_what_a_fisheye_sees_beside_or_behind_itself_has_no_place_in_the_image_plane():
    camera = Camera("OPENCV_FISHEYE", 1000, 800, (100.0, 100.0, 500.0, 400.0, 0.0, 0.0, 0.0, 0.0))
    rays = unproject(camera, np.array([[500 + 100 * 1.57, 400], [500 + 100 * 1.58, 400.0]]))  # pi / 2 = 1.5708
    assert np.isfinite(rays[0]).all() and np.isnan(rays[1]).all()
