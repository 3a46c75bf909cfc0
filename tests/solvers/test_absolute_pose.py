"""Absolute pose: exact truth, honest covariance, and no pose where there is none."""

import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2
from world import FISHEYE, OPENCV, PINHOLE, sightings

from vloc.errors import DataError
from vloc.geometry.camera import CAMERA_PARAMS, Camera
from vloc.geometry.motion import motion_of
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.colmap import colmap_camera
from vloc.solvers.pnp import PnpConfig
from vloc.solvers.pose_covariance import DEPENDENCE

CONFIG = PnpConfig()
LINE = np.outer(np.linspace(3, 9, 50), [0.1, 0.2, 1.0]) + np.array([0.5, 0, 0])
cameras = pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])


@cameras
def test_exact_matches_give_the_exact_pose(camera):
    pixels, points, truth, _ = sightings(camera)
    result = absolute_pose(pixels, points, camera, CONFIG)
    assert max(pose_errors(result.cam_from_world, truth)) < 1e-6 and result.inliers.all()


@pytest.mark.parametrize("model", CAMERA_PARAMS)
def test_every_camera_model_is_solved(model):
    values = {"f": 800.0, "fx": 800.0, "fy": 780.0, "cx": 510.0, "cy": 395.0, "omega": 0.6, "k": 0.05, "k1": 0.05}
    camera = Camera(model, 1000, 800, tuple(values.get(name, 0.001) for name in CAMERA_PARAMS[model]))
    pixels, points, truth, _ = sightings(camera, noise=0.3, outliers=0.3)
    result = absolute_pose(pixels, points, camera, CONFIG)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.01 and result.num_inliers > 120


@cameras
def test_inliers_are_the_right_matches(camera):
    pixels, points, truth, wrong = sightings(camera, 500, noise=0.7, outliers=0.6)
    result = absolute_pose(pixels, points, camera, CONFIG)
    assert pose_errors(result.cam_from_world, truth)[0] < 0.01
    assert result.inliers[~wrong].all() and result.inliers[wrong].mean() < 0.02
    errors = np.linalg.norm(project(camera, result.cam_from_world.apply(points)) - pixels, axis=1)
    assert np.array_equal(result.inliers, errors < CONFIG.max_error_px)


def test_the_pose_is_as_good_as_colmaps():
    ours, theirs = [], []
    for seed in range(10):
        pixels, points, truth, _ = sightings(OPENCV, 300, noise=1.0, outliers=0.3, seed=seed)
        options = pycolmap.AbsolutePoseEstimationOptions()
        options.ransac.max_error, options.ransac.random_seed = 8.0, 0
        found = pycolmap.estimate_and_refine_absolute_pose(pixels, points, colmap_camera(OPENCV), options)
        pose = found["cam_from_world"].matrix()
        theirs.append(pose_errors(Rigid(pose[:, :3], pose[:, 3]), truth)[0])
        ours.append(pose_errors(absolute_pose(pixels, points, OPENCV, CONFIG).cam_from_world, truth)[0])
    assert np.mean(ours) < 1.05 * np.mean(theirs)


def test_large_world_coordinates_cost_no_accuracy():
    pixels, points, truth, _ = sightings(PINHOLE, noise=0.5, offset=5e6)
    near_pixels, near_points, near_truth, _ = sightings(PINHOLE, noise=0.5)
    far, near = absolute_pose(pixels, points, PINHOLE, CONFIG), absolute_pose(near_pixels, near_points, PINHOLE, CONFIG)
    far_error, near_error = pose_errors(far.cam_from_world, truth)[0], pose_errors(near.cam_from_world, near_truth)[0]
    assert far_error == pytest.approx(near_error, rel=1e-2)
    assert np.allclose(far.covariance, near.covariance, rtol=1e-3)


@pytest.mark.parametrize("count", [14, 20])
def test_the_poses_of_few_matches_are_no_further_off_than_their_covariance_says(count):
    """Of 200, were errors exactly normal, 190 would be inside; with a plain sandwich estimate 112 and 148 are."""
    rng, distances = np.random.default_rng(1), []
    exact, points, truth, _ = sightings(PINHOLE, count)
    for _ in range(200):
        found = absolute_pose(exact + rng.normal(0, 0.3, exact.shape), points, PINHOLE, CONFIG)
        off = motion_of(found.cam_from_world @ truth.inverse())
        distances.append(off @ np.linalg.solve(found.covariance / DEPENDENCE, off))
    assert np.count_nonzero(np.array(distances) < chi2.ppf(0.95, 6)) >= 165


@pytest.mark.parametrize(
    ("camera", "noise", "most"),
    [
        (PINHOLE, 0.3, 1.15),
        (PINHOLE, 1.0, 1.35),  # of noise twice the loss's scale many matches hardly count, and the rest tell less
        (FISHEYE, 0.5, 1.15),
    ],
)
def test_the_covariance_is_the_spread_of_poses_over_noise(camera, noise, most):
    rng = np.random.default_rng(0)
    exact, points, truth, _ = sightings(camera, 60)
    deviations, claimed = [], []
    for _ in range(300):
        result = absolute_pose(exact + rng.normal(0, noise, exact.shape), points, camera, CONFIG)
        difference = result.cam_from_world @ truth.inverse()  # Exp(deviation) @ truth
        deviations.append([*Rotation.from_matrix(difference.rotation).as_rotvec(), *difference.translation])
        claimed.append(np.sqrt(np.diag(result.covariance) / DEPENDENCE))  # the noise here is independent
    ratio = np.mean(claimed, axis=0) / np.sqrt(np.mean(np.square(deviations), axis=0))
    assert np.all((ratio > 0.85) & (ratio < most))


def test_the_translation_block_is_the_covariance_of_the_centre_in_camera_axes():
    rng = np.random.default_rng(0)
    exact, points, truth, _ = sightings(PINHOLE, 60)
    centers, claimed = [], []
    for _ in range(300):
        result = absolute_pose(exact + rng.normal(0, 0.5, exact.shape), points, PINHOLE, CONFIG)
        centers.append(truth.rotation @ (result.cam_from_world.center - truth.center))
        claimed.append(np.diag(result.covariance)[3:] / DEPENDENCE)
    ratio = np.sqrt(np.mean(claimed, axis=0) / np.mean(np.square(centers), axis=0))
    assert np.all((ratio > 0.85) & (ratio < 1.15))


def test_fewer_matches_than_inliers_wanted_give_no_pose():
    pixels, points, _, _ = sightings(PINHOLE, 11)
    result = absolute_pose(pixels, points, PINHOLE, CONFIG)
    assert result.cam_from_world is None and result.covariance is None
    assert result.reason == "11 matches, a pose needs 12"


def test_no_matches_at_all_give_no_pose():
    assert absolute_pose(np.zeros((0, 2)), np.zeros((0, 3)), PINHOLE, CONFIG).cam_from_world is None


def test_random_matches_give_no_pose_and_say_how_many_agreed():
    rng = np.random.default_rng(0)
    result = absolute_pose(rng.uniform(0, 800, (200, 2)), rng.normal(0, 3, (200, 3)), PINHOLE, CONFIG)
    assert result.cam_from_world is None and 0 < result.num_inliers < 12
    assert result.reason == f"{result.num_inliers} inliers, a pose needs 12"


@pytest.mark.parametrize("points", [np.ones((50, 3)), LINE])
def test_points_in_one_place_or_on_a_line_give_no_pose(points):
    result = absolute_pose(project(PINHOLE, points), points, PINHOLE, CONFIG)
    assert result.cam_from_world is None and result.reason


def test_the_same_seed_gives_the_same_bytes():
    pixels, points, _, _ = sightings(OPENCV, 300, noise=1.0, outliers=0.5)
    first, second = (absolute_pose(pixels, points, OPENCV, CONFIG, seed=3) for _ in range(2))
    assert np.array_equal(first.cam_from_world.rotation, second.cam_from_world.rotation)
    assert np.array_equal(first.covariance, second.covariance)


@pytest.mark.wrong_shapes
@pytest.mark.parametrize(
    ("pixels", "points", "message"),
    [
        (np.zeros((20, 2)), np.zeros((19, 3)), "shape"),
        (np.zeros((20, 3)), np.zeros((20, 3)), "shape"),
        (np.full((20, 2), np.nan), np.zeros((20, 3)), "not finite"),
        (np.zeros((20, 2)), np.full((20, 3), np.inf), "not finite"),
    ],
)
def test_broken_input_is_refused(pixels, points, message):
    with pytest.raises(DataError, match=message):
        absolute_pose(pixels, points, PINHOLE, CONFIG)


def test_a_camera_without_intrinsics_is_refused():
    with pytest.raises(DataError, match="intrinsics"):
        absolute_pose(np.zeros((20, 2)), np.zeros((20, 3)), Camera("UNKNOWN_CAMERA", 9, 9), CONFIG)
