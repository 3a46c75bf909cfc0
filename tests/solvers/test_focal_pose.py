"""Intrinsics found with the pose: the true ones, with honest errors, and no pose where nothing fixes them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV, PINHOLE, random_pose, sightings

from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import project
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.focal_pose import pose_and_focal
from vloc.solvers.pnp import PnpConfig, intrinsics_prior
from vloc.solvers.pose_covariance import DEPENDENCE
from vloc.solvers.pose_refinement import focal_sigma, refine_pose
from vloc.solvers.robust_minimum import _step, prior_strength

CONFIG = PnpConfig()
SIMPLE = Camera("SIMPLE_RADIAL", 1000, 800, (900.0, 500.0, 400.0, 0.0))
BENT = Camera("SIMPLE_RADIAL", 1000, 800, (900.0, 500.0, 400.0, -0.16))
OFF_CENTER = Camera("SIMPLE_RADIAL", 1000, 800, (900.0, 506.0, 397.0, -0.05))
STRETCHED = Camera("OPENCV", 1000, 800, (900.0, 902.0, 500.0, 400.0, -0.05, 0.0, 0.0, 0.0))


def wall(camera, count=200, noise=0.5, seed=0, turn=0.0):
    """Sightings of a plane 5 m in front of a camera, turned about the vertical."""
    rng = np.random.default_rng(seed)
    flat = np.c_[rng.uniform(-2, 2, count), rng.uniform(-1.5, 1.5, count), np.zeros(count)]
    in_cam = flat @ Rotation.from_rotvec([0, turn, 0]).as_matrix().T + [0, 0, 5]
    pose = random_pose(rng)
    return project(camera, in_cam) + rng.normal(0, noise, (count, 2)), pose.inverse().apply(in_cam), pose


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.96, 1.2, 2.5])
def test_a_wrong_focal_length_is_found_with_the_pose(factor):
    pixels, points, truth, wrong = sightings(SIMPLE, 300, noise=0.5, outliers=0.5)
    result = absolute_pose(pixels, points, SIMPLE.adjusted(np.log(factor)), CONFIG, focal_source="guessed")
    assert result.camera.focal[0] == pytest.approx(900, rel=0.005)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.03 and result.inliers[~wrong].all()


@pytest.mark.parametrize("lens", [BENT, OFF_CENTER, STRETCHED])
def test_distortion_principal_point_and_aspect_of_an_unknown_lens_are_found(lens):
    pixels, points, truth, _ = sightings(lens, 400, noise=0.3, outliers=0.3)
    result = absolute_pose(pixels, points, SIMPLE.adjusted(0.04), CONFIG, focal_source="EXIF 35 mm tag")
    found = np.array([*result.camera.focal, *result.camera.principal_point, result.camera.distortion[0]])
    assert np.all(np.abs(found - [*lens.focal, *lens.principal_point, lens.distortion[0]]) < [4, 4, 4, 4, 0.01])
    assert pose_errors(result.cam_from_world, truth)[0] < 0.02


@pytest.mark.parametrize("lens", [PINHOLE, OPENCV, FISHEYE])
def test_every_kind_of_lens_is_refined_in_its_own_model(lens):
    pixels, points, truth, _ = sightings(lens, 400, noise=0.3, outliers=0.3)
    result = absolute_pose(pixels, points, lens.adjusted(0.03), replace(CONFIG, refine="all"))
    assert result.camera.focal[0] == pytest.approx(900, rel=0.005)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.02


def test_a_lens_said_to_be_without_distortion_gets_one_where_it_is_asked_for_and_keeps_its_centre():
    pixels, points, truth, _ = sightings(BENT, 400, noise=0.3, outliers=0.3)
    straight = Camera("SIMPLE_PINHOLE", 1000, 800, (920.0, 500.0, 400.0))
    result = absolute_pose(pixels, points, straight, replace(CONFIG, refine="distortion"))
    assert result.camera.distortion[0] == pytest.approx(-0.16, abs=0.01)
    assert result.camera.focal[0] == pytest.approx(900, rel=0.005) and result.camera.principal_point == (500, 400)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.02


@pytest.mark.parametrize(
    ("refine", "source", "count"),
    [
        ("auto", "calibrated", 0),
        ("auto", "given", 0),
        ("auto", "map front/1.jpg", 0),
        ("auto", "EXIF 35 mm tag", 5),
        ("auto", "guessed", 5),
        ("none", "guessed", 0),
        ("focal", "calibrated", 1),
        ("distortion", "guessed", 2),
    ],
)
def test_what_is_refined_depends_on_where_the_intrinsics_come_from(refine, source, count):
    assert len(intrinsics_prior(replace(CONFIG, refine=refine), SIMPLE, source)) == count


@pytest.mark.parametrize("size", [(1000, 800), (800, 1000)])
def test_lenses_of_which_nothing_is_known_may_be_as_far_off_as_the_documented_figures_have_it(size):
    lens = Camera("SIMPLE_RADIAL", *size, (900.0, 500.0, 400.0, 0.0))
    center = 0.005 * 1000
    assert intrinsics_prior(CONFIG, lens, "guessed") == pytest.approx((0.5, 0.1, center, center, 0.001))
    assert intrinsics_prior(CONFIG, lens, "EXIF") == pytest.approx((0.05, 0.1, center, center, 0.001))


def test_calibrated_intrinsics_stay_as_they_are():
    pixels, points, _, _ = sightings(OPENCV, noise=0.5)
    result = absolute_pose(pixels, points, OPENCV, CONFIG)
    assert result.camera == OPENCV and result.focal_sigma == 0


def test_a_wall_seen_head_on_does_not_tell_the_focal_length_and_is_refused():
    pixels, points, _ = wall(SIMPLE)
    result = absolute_pose(pixels, points, SIMPLE, CONFIG, focal_source="guessed")
    assert result.cam_from_world is None and result.num_inliers == 200
    assert "focal length" in result.reason and "head-on" in result.reason


def test_a_refusal_names_the_focal_length_along_the_rows():
    tall = Camera("PINHOLE", 1000, 800, (900.0, 300.0, 500.0, 400.0))
    pixels, points, _ = wall(tall)
    result = absolute_pose(pixels, points, tall, replace(CONFIG, refine="focal"), focal_source="guessed")
    px = re.search(r"comes out as (\d+) px", result.reason)
    assert px is not None and 600 < int(px[1]) < 1400


def test_a_wall_seen_head_on_is_no_harm_to_a_trusted_focal_length():
    pixels, points, truth = wall(SIMPLE)
    for source in ("given", "calibrated"):
        found = absolute_pose(pixels, points, SIMPLE, CONFIG, focal_source=source)
        assert pose_errors(found.cam_from_world, truth)[0] < 0.02


def test_exif_on_a_wall_seen_head_on_says_in_its_covariance_how_far_the_wall_may_be():
    pixels, points, truth = wall(SIMPLE)
    result = absolute_pose(pixels, points, SIMPLE.adjusted(0.04), CONFIG, focal_source="EXIF 35 mm tag")
    assert result.focal_sigma == pytest.approx(CONFIG.focal_error, rel=0.1)
    # Along the axis the camera may be off by 5 % of 5 m.
    assert np.sqrt(result.covariance[5, 5]) == pytest.approx(0.25, rel=0.15)
    assert 0.1 < pose_errors(result.cam_from_world, truth)[0] < 0.3


def test_a_wall_seen_at_an_angle_tells_the_focal_length():
    pixels, points, truth = wall(SIMPLE, turn=0.7)
    result = absolute_pose(pixels, points, SIMPLE.adjusted(0.2), CONFIG, focal_source="guessed")
    assert result.camera.focal[0] == pytest.approx(900, rel=0.02)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.15


def test_points_in_a_narrow_part_of_the_view_do_not_tell_the_focal_length():
    rng = np.random.default_rng(0)
    in_cam = np.c_[rng.uniform(-0.02, 0.02, (200, 2)), np.ones(200)] * rng.uniform(5, 5.2, (200, 1))
    pixels = project(SIMPLE, in_cam) + rng.normal(0, 0.5, (200, 2))
    result = absolute_pose(pixels, in_cam, SIMPLE, CONFIG, focal_source="guessed")
    assert result.cam_from_world is None and result.reason


def test_covariance_and_focal_sigma_are_the_spread_over_noise():
    rng = np.random.default_rng(0)
    exact, points, truth, _ = sightings(SIMPLE, 60)
    deviations, claimed, focals, sigmas = [], [], [], []
    for _ in range(60):
        pixels = exact + rng.normal(0, 0.5, exact.shape)
        result = absolute_pose(pixels, points, SIMPLE, CONFIG, focal_source="guessed")
        moved = result.cam_from_world @ truth.inverse()
        deviations.append([*Rotation.from_matrix(moved.rotation).as_rotvec(), *moved.translation])
        claimed.append(np.diag(result.covariance)[:6] / DEPENDENCE)  # the noise here is independent
        focals.append(np.log(result.camera.focal[0] / 900))
        sigmas.append(result.focal_sigma / DEPENDENCE**0.5)
    ratio = np.sqrt(np.mean(claimed, axis=0) / np.mean(np.square(deviations), axis=0))
    # The principal point is drawn to its true place here, so rotations spread a little less than they may.
    assert np.all((ratio > 0.85) & (ratio < 1.35))
    assert 0.85 < np.mean(sigmas) / np.std(focals) < 1.2


def test_refined_intrinsics_are_where_the_derivative_vanishes():
    """At the minimum the cost, Cauchy loss of the pixels and prior, rises with a change of any intrinsic either way."""
    pixels, points, truth, _ = sightings(BENT, 100, noise=0.5)
    found = refine_pose(pixels, points, SIMPLE.generalised(), truth, 1e6, (0.5, 0.5, 50.0, 50.0, 0.5))

    def cost(change):
        moved = refine_pose(pixels, points, found.camera.adjusted(*change), found.cam_from_world, 1e6)
        return ((project(moved.camera, moved.cam_from_world.apply(points)) - pixels) ** 2).sum()

    least = cost(np.zeros(5))
    for step in np.diag([0.003, 0.01, 3.0, 3.0, 0.003]):
        assert min(cost(step), cost(-step)) > least


@pytest.mark.parametrize("lens", [PINHOLE, Camera("PINHOLE", 1000, 800, (900.0, 1000.0, 500.0, 400.0))])
def test_the_focal_length_of_four_point_samples_is_the_true_one(lens):
    pixels, points, truth, _ = sightings(lens, 300, noise=0.3, outliers=0.6)
    pose, log_focal = pose_and_focal(pixels, points, lens.adjusted(np.log(1.7)), 8.0, (100, 10_000), 0.9999, 0)
    assert log_focal == pytest.approx(-np.log(1.7), abs=0.02)
    assert pose_errors(pose, truth)[0] < 0.15


def test_three_matches_do_not_tell_a_focal_length():
    pixels, points, *_ = sightings(PINHOLE, 3)
    assert pose_and_focal(pixels, points, PINHOLE, 8.0, (10, 10), 0.99, 0) is None


def test_the_same_seed_gives_the_same_bytes_for_a_guessed_camera():
    pixels, points, _, _ = sightings(BENT, 300, noise=1.0, outliers=0.5)
    first, second = (absolute_pose(pixels, points, SIMPLE, CONFIG, 3, "guessed") for _ in range(2))
    assert first.camera == second.camera and np.array_equal(first.covariance, second.covariance)


def test_random_matches_give_no_pose_whatever_the_focal_length():
    rng = np.random.default_rng(0)
    pixels, points = rng.uniform(0, 800, (300, 2)), rng.normal(0, 3, (300, 3))
    assert absolute_pose(pixels, points, SIMPLE, CONFIG, focal_source="guessed").cam_from_world is None


def test_the_covariance_of_the_pose_alone_leaves_the_intrinsics_out():
    pixels, points, *_ = sightings(SIMPLE, 300, noise=0.5)
    result = absolute_pose(pixels, points, SIMPLE, replace(CONFIG, refine="distortion"))
    assert result.covariance.shape == (8, 8) and np.array_equal(result.pose_covariance, result.covariance[:6, :6])
    assert result.focal_sigma == pytest.approx(np.sqrt(result.covariance[6, 6]))


def test_a_prior_is_as_strong_as_the_noise_that_the_matches_show():
    """Residuals of 0.5 and 0 px at a scale of 0.5 have the weights 1/2 and 1, psi 1/4 and 0, psi' 1/2, 0, 1 and 1."""
    residuals = np.array([[0.5, 0.0], [0.0, 0.0]])
    noise, mean, variance = (1 / 4) ** 2 / (4 - 1), 5 / 8, 11 / 64
    slope = mean / (1 + 1 / 4 * variance / mean**2)
    found = prior_strength(residuals, 1, (0.1, 2.0), 0.5)
    np.testing.assert_allclose(found, noise / slope / np.array([0.1**2, 2.0**2]))
    assert len(prior_strength(residuals, 1, (), 0.5)) == 0


def test_the_deviation_of_the_focal_length_comes_after_the_six_of_the_pose():
    assert focal_sigma(None) == focal_sigma(np.eye(6)) == 0
    assert focal_sigma(np.diag([1.0, 2, 3, 4, 5, 6, 0.04, 9])) == pytest.approx(0.2)


def test_a_step_moves_the_logarithm_of_the_focal_length_by_a_half_at_most():
    """Seven numbers, each measured by a match of its own; the whole step is cut, so that its direction stays."""
    jacobian = np.stack([np.eye(7), np.zeros((7, 7))])
    for moves, expected in (([0.8, 4.0], [0.1, 0.5]), ([0.8, -4.0], [0.1, -0.5]), ([0.8, 0.4], [0.8, 0.4])):
        residuals = np.zeros((2, 7))
        residuals[0, [0, 6]] = moves
        step = _step(residuals, jacobian, np.zeros(1), (1e9,), 1e6)
        np.testing.assert_allclose(step[[0, 6]], expected, rtol=1e-6)
