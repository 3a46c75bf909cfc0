"""Planes at keypoints, against planes whose depth maps are worked out by the equation of a plane."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.geometry.camera import Camera
from vloc.geometry.depth import depth_along, inverse_depth, planes_at, smooth_and_noise
from vloc.geometry.projection import unproject

PINHOLE = Camera("PINHOLE", 120, 80, (100.0, 102.0, 61.0, 39.0))
OPENCV = Camera("OPENCV", 120, 80, (100.0, 102.0, 61.0, 39.0, 0.05, -0.02, 0.001, 0.0))
FISHEYE = Camera("RADIAL_FISHEYE", 120, 80, (90.0, 61.0, 39.0, 0.05, -0.02))
CAMERAS = PINHOLE, OPENCV, FISHEYE


def rays_of(camera: Camera) -> np.ndarray:
    """Through the centre of every pixel: the first is at (0.5, 0.5)."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return unproject(camera, np.stack([x.ravel(), y.ravel()], axis=1))


def depth_of(camera: Camera, plane: np.ndarray) -> np.ndarray:
    """The depth map of one plane."""
    depths = depth_along(np.tile(plane, (camera.width * camera.height, 1)), rays_of(camera))
    return depths.reshape(camera.height, camera.width).astype(np.float32)


def keypoints(camera: Camera, count: int = 200) -> np.ndarray:
    """Anywhere in the image, within half a pixel of its edges too."""
    return np.random.default_rng(0).uniform(0, camera.size, (count, 2))


def test_a_wall_two_metres_ahead_by_hand() -> None:
    depth = np.full((80, 120), 2, np.float32)
    rays = np.array([[0.0, 0.0], [0.2, -0.1]])
    planes = planes_at(depth, PINHOLE, rays, 1e-3)
    np.testing.assert_allclose(planes, [[0, 0, 0.5]] * 2, atol=1e-12)
    assert depth_along(planes, rays).tolist() == [2, 2]


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.5, 2), st.sampled_from(CAMERAS))
def test_a_plane_is_found_wherever_it_is_seen(a: float, b: float, c: float, camera: Camera) -> None:
    plane = np.array([a, b, c])
    rays = unproject(camera, keypoints(camera, 40))
    planes = planes_at(depth_of(camera, plane), camera, rays, 1e-3)
    bent = 10 if camera == FISHEYE else 1  # its rays are not quite evenly spaced from pixel to pixel
    np.testing.assert_allclose(depth_along(planes, rays) * (rays @ plane[:2] + c), 1, rtol=bent * 2e-5)
    assert np.abs(planes - plane).max() < bent * 2e-3


def test_depth_of_half_the_resolution_lies_where_its_own_camera_says() -> None:
    """Half the size halves focal length and principal point: pixel centres are at halves in both."""
    half = Camera("PINHOLE", 60, 40, (50.0, 51.0, 30.5, 19.5))
    plane = np.array([0.1, -0.2, 0.4])
    rays = unproject(PINHOLE, keypoints(PINHOLE))
    planes = planes_at(depth_of(half, plane), half, rays, 1e-3)
    np.testing.assert_allclose(planes, np.tile(plane, (len(rays), 1)), atol=1e-4)


@pytest.mark.parametrize("unknown", [0.0, -1.0, np.nan, np.inf])
def test_beside_a_pixel_without_depth_there_is_none(unknown: float) -> None:
    depth = np.full((80, 120), 2, np.float32)
    depth[40, 60] = unknown
    pixels = np.array([[60.5, 40.5], [61.2, 40.9], [62.4, 40.5], [64.5, 40.5], [60.5, 45.0]])
    found = planes_at(depth, PINHOLE, unproject(PINHOLE, pixels), 1e-3)
    assert np.isfinite(found).all(axis=1).tolist() == [False, False, False, True, True]


def test_no_depth_between_two_surfaces() -> None:
    depth = np.full((80, 120), 4, np.float32)
    depth[:, :60] = 3.9
    pixels = np.array([[60.0, 40.0], [59.2, 40.0], [60.8, 40.0], [56.0, 40.0], [64.0, 40.0]])
    rays = unproject(PINHOLE, pixels)
    found = depth_along(planes_at(depth, PINHOLE, rays, 2e-3), rays)
    np.testing.assert_allclose(found, [np.nan, np.nan, np.nan, 3.9, 4], rtol=1e-6)


def test_noise_is_no_edge_and_an_edge_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    depth = depth_of(PINHOLE, np.array([0.05, 0.1, 0.4]))
    depth[:, 60:] *= 1.3
    noisy = (depth * (1 + rng.normal(0, 0.01, depth.shape))).astype(np.float32)
    smooth, _ = smooth_and_noise(inverse_depth(noisy), 2e-3)
    assert smooth[:, :58].mean() > 0.98 and smooth[:, 62:].mean() > 0.98
    assert smooth[:, 59:61].mean() < 0.02


def test_depth_in_coarse_steps_smooth_and_noise() -> None:
    """As a Kinect has it: one part in 170 from step to step, most neighbours alike."""
    plane = depth_of(PINHOLE, np.array([0.05, 0.1, 0.4]))
    steps = (1 / (np.round(1 / plane / 0.0025) * 0.0025)).astype(np.float32)
    assert smooth_and_noise(inverse_depth(steps), 2e-3)[0].mean() > 0.95


@pytest.mark.parametrize("sigma", [1e-4, 1e-3, 1e-2])
def test_a_tilt_counts_as_far_as_noise_leaves_it(sigma: float) -> None:
    """A wall at 1 m, pixels 1 cm apart: noise of 1e-4 is a tilt of 0.7 degrees, 1e-2 one of 49: 3/7 is left."""
    inverse = 1 / depth_of(PINHOLE, np.array([0.0, 0.0, 1.0])) + np.random.default_rng(0).normal(0, sigma, (80, 120))
    assert smooth_and_noise(inverse, 0)[1] == pytest.approx(sigma, rel=0.05)
    rays, tilt = unproject(PINHOLE, keypoints(PINHOLE)), np.sqrt(4 / 3) * sigma / 0.01
    planes = planes_at((1 / inverse).astype(np.float32), PINHOLE, rays, 1e-3)
    known = np.isfinite(planes).all(axis=1)
    assert known.mean() > 0.8
    assert planes[known, :2].std() == pytest.approx(tilt / (1 + tilt**2), rel=0.1)
    np.testing.assert_allclose(1 / depth_along(planes[known], rays[known]), 1, atol=6 * sigma)


def test_outside_of_the_depth_map_there_is_none() -> None:
    rays = unproject(PINHOLE, np.array([[-0.1, 40.0], [0.1, 40.0], [119.9, 79.9], [60.0, 80.1]]))
    found = planes_at(np.full((80, 120), 2, np.float32), PINHOLE, rays, 1e-3)
    assert np.isfinite(found[:, 0]).tolist() == [False, True, True, False]


def test_a_map_without_any_depth_gives_none() -> None:
    assert np.isnan(planes_at(np.zeros((80, 120), np.float32), PINHOLE, np.zeros((1, 2)), 1e-3)).all()


def test_rays_that_leave_a_plane_behind_meet_it_nowhere() -> None:
    assert np.isnan(depth_along(np.array([[1.0, 0, 0]]), np.array([[-0.5, 0]]))).all()
