import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vloc.geometry.camera import Camera
from vloc.geometry.half_planes import half_planes, posed_rays
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid

PINHOLE = Camera("PINHOLE", 1000, 800, (900.0, 880.0, 500.0, 400.0))
FISHEYE = Camera("OPENCV_FISHEYE", 1000, 800, (400.0, 400.0, 500.0, 400.0, 0.02, -0.01, 0.0, 0.0))


def looking(center: tuple[float, float, float], turn_deg: float = 0.0) -> Rigid:
    """A camera that looks along z from a centre, turned about y."""
    rotation = Rotation.from_euler("y", turn_deg, degrees=True).as_matrix().T
    return Rigid(rotation, -rotation @ np.array(center))


def test_rays_look_at_what_the_keypoints_show_in_world_axes() -> None:
    pose = looking((1.0, 2.0, 3.0), 30)
    points = pose.inverse().apply(np.array([[0.5, -0.2, 2.0], [0.0, 0.0, 5.0]]))
    made = posed_rays(PINHOLE, pose, project(PINHOLE, pose.apply(points)))
    np.testing.assert_allclose(made.center + made.rays * [[2.0], [5.0]], points, atol=1e-12)
    np.testing.assert_allclose(made.axis, [0.5, 0, np.sqrt(3) / 2], atol=1e-12)  # z turned by 30 deg towards x


def test_a_point_above_and_one_below_a_sideways_baseline_are_a_quarter_turn_apart() -> None:
    pixels = np.array([[500.0, 400 - 880], [500.0, 400 + 880]])  # 45 deg up, 45 deg down
    first, second = (posed_rays(PINHOLE, looking((x, 0.0, 0.0)), pixels) for x in (0.0, 1.0))
    planes = half_planes(first, second, 1.0)
    assert planes is not None
    difference = (planes[0].angles[1] - planes[0].angles[0]) % (2 * np.pi)
    assert min(difference, 2 * np.pi - difference) == pytest.approx(np.pi / 2)
    np.testing.assert_allclose(planes[0].along, 0, atol=1e-12)  # straight ahead: nothing along the baseline
    np.testing.assert_allclose(np.hypot(*planes[0].across.T), np.sqrt(2), atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_both_cameras_see_a_point_at_one_angle_and_in_order_along_the_baseline(seed: int) -> None:
    rng = np.random.default_rng(seed)
    poses = [
        Rigid(Rotation.random(rng=rng).as_matrix(), np.zeros(3)) @ looking(tuple(rng.normal(0, 2, 3))) for _ in range(2)
    ]
    points = rng.normal(0, 5, (200, 3))
    points = points[np.logical_and(*(pose.apply(points)[:, 2] > 0.3 for pose in poses))]
    rays = [
        posed_rays(camera, pose, project(camera, pose.apply(points)))
        for camera, pose in zip((PINHOLE, FISHEYE), poses, strict=True)
    ]
    planes = half_planes(rays[0], rays[1], 1.0)
    assert planes is not None
    turns = (planes[0].angles - planes[1].angles + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(turns * np.hypot(*planes[0].across.T)).max(initial=0) < 1e-9
    assert (planes[0].along > planes[1].along).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_limit_is_the_distance_from_the_line_of_any_two_cameras(seed: int) -> None:
    """l = t x R x is the line of x in the second image, whose pixel is focal |x' l| / |l_xy| from it."""
    rng = np.random.default_rng(seed)
    camera = Camera("PINHOLE", 1000, 800, (890.0, 890.0, 500.0, 400.0))
    second_from_first = Rigid(Rotation.random(rng=rng).as_matrix(), rng.normal(0, 3, 3))
    pose, pixels = Rigid(Rotation.random(rng=rng).as_matrix(), rng.normal(0, 3, 3)), rng.random((2, 50, 2)) * 900
    rays = (posed_rays(camera, *of) for of in ((pose, pixels[0]), (second_from_first @ pose, pixels[1])))
    planes = half_planes(*rays, 2.0)
    assert planes is not None
    x, y = (np.column_stack([(own - [500, 400]) / 890, np.ones(50)]) for own in pixels)
    lines = np.cross(second_from_first.translation, x @ second_from_first.rotation.T)
    distances = 890 * np.abs((lines * y).sum(axis=1)) / np.hypot(lines[:, 0], lines[:, 1])
    areas = np.abs(np.linalg.det(np.stack([planes[0].across, planes[1].across], axis=1)))
    np.testing.assert_allclose(areas / planes[0].limits, distances / 2, rtol=1e-6)


def test_a_ray_along_the_baseline_has_any_half_plane_and_the_others_their_place_along_it() -> None:
    """Forward motion by 4: the epipole is the middle of the image, 90 px from which is a tenth of the depth."""
    pixels = np.array([[500.0, 400.0], [590.0, 400.0]])
    first, second = (posed_rays(PINHOLE, looking((0.0, 0.0, z)), pixels) for z in (1.0, 5.0))
    planes = half_planes(first, second, 2.0)
    assert planes is not None
    np.testing.assert_allclose(planes[0].half_widths, [np.pi / 2, np.arcsin(2 / (890 * 0.1))], rtol=1e-4)
    assert planes[0].along[1] == pytest.approx(10)


@pytest.mark.parametrize(("shift", "is_within"), [(1.99, True), (2.01, False), (-1.99, True), (-2.01, False)])
def test_the_limit_is_reached_at_that_distance_from_the_epipolar_line(shift: float, is_within: bool) -> None:
    """Sideways motion: epipolar lines are the rows of the image, so the shift down is the distance."""
    camera, point = Camera("PINHOLE", 1000, 800, (890.0, 890.0, 500.0, 400.0)), np.array([[300.0, 250.0]])
    first = posed_rays(camera, looking((0.0, 0.0, 0.0)), point)
    second = posed_rays(camera, looking((1.0, 0.0, 0.0)), point + np.array([-60.0, shift]))
    planes = half_planes(first, second, 2.0)
    assert planes is not None
    (x, y), (u, v) = planes[0].across[0], planes[1].across[0]
    assert bool(abs(x * v - y * u) <= planes[0].limits[0]) is is_within


def test_half_planes_are_as_wide_as_the_distance_seen_from_the_axis() -> None:
    """A ray 45 deg up is sqrt(2) focal lengths of 890 px long: 2 px are 2 / (890 sqrt(2)) of a turn around x."""
    pixels = np.array([[500.0, 400 - 880]])
    first, second = (posed_rays(PINHOLE, looking((x, 0.0, 0.0)), pixels) for x in (0.0, 1.0))
    planes = half_planes(first, second, 2.0)
    assert planes is not None
    exact = np.arcsin(2 / (890 * np.sqrt(2)))
    np.testing.assert_allclose(planes[0].half_widths, exact, rtol=1e-3)
    assert planes[0].half_widths[0] > exact  # rounding leaves out no ray


def test_a_short_baseline_far_from_the_origin_is_a_baseline() -> None:
    first, second = (posed_rays(PINHOLE, looking((x, 2e4, 0.0)), np.ones((2, 2))) for x in (1e4, 1e4 + 0.1))
    assert half_planes(first, second, 1.0) is not None


@pytest.mark.parametrize(("center", "rounding"), [((1.0, 2.0, 3.0), 0), ((0.0, 0.0, 0.0), 0), ((2e4, 0.0, 0.0), 1e-6)])
def test_one_spot_has_no_half_planes(center: tuple[float, float, float], rounding: float) -> None:
    moved = (center[0] + rounding, *center[1:])
    rays = [posed_rays(PINHOLE, looking(*of), np.ones((2, 2))) for of in ((center, 0), (moved, 20))]
    assert half_planes(rays[0], rays[1], 1.0) is None
