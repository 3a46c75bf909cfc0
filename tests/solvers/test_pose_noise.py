"""The size of pose errors, against errors that were drawn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import walk

from vloc.geometry.rigid import Rigid
from vloc.solvers import pose_noise as noise_module
from vloc.solvers.pose_noise import (
    _blocks,
    _eliminate_points,
    _left_over,
    _maximum_likelihood,
    _units,
    _weights,
    pose_noise,
)
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate

EXACT_POSES = TriangulationConfig(pose_error_px=0.0)


def estimated(world, rotation=0.0, center=0.0, seed=0):
    """What is found where every given pose is off by errors of these standard deviations."""
    rng = np.random.default_rng(seed)
    poses = world.images.cam_from_world
    turns = Rotation.from_rotvec(rng.normal(0, rotation, (len(poses), 3))).as_matrix()
    wrong = Rigid(turns, rng.normal(0, center, (len(poses), 3))) @ poses
    images = replace(world.images, cam_from_world=wrong)
    sparse = triangulate(images, world.keypoints, world.matches, EXACT_POSES)
    return pose_noise([(sparse, world.keypoints)])


@pytest.mark.parametrize(("rotation", "center"), [(5e-4, 5e-3), (2e-3, 2e-3)])
def test_errors_of_rotations_and_of_centres_are_told_apart(rotation, center):
    found = estimated(walk(16, 200, 0.1), rotation, center)
    assert np.all(found > 0.75 * np.array([rotation, center])) and np.all(found < 1.35 * np.array([rotation, center]))


def test_exact_poses_have_errors_far_below_the_noise_of_keypoints():
    """A tenth of the noise of 0.3 px, at 900 px to the radian and 7 m of distance."""
    rotation, center = estimated(walk(16, 200, 0.3))
    assert rotation < 0.03 / 900 and center < 0.03 / 900 * 7


def test_wrong_matches_do_not_look_like_wrong_poses():
    world, rng = walk(16, 200, 0.1), np.random.default_rng(0)
    for points in world.keypoints:
        wrong = rng.random(len(points)) < 0.05
        points[wrong] += rng.normal(0, 2, (wrong.sum(), 2)).astype(np.float32)
    rotation, center = estimated(world)
    assert rotation < 0.03 / 900 and center < 0.03 / 900 * 7


def test_no_points_say_nothing():
    world = walk(4, 50)
    assert estimated(replace(world, matches={}), 1e-3, 1e-2).tolist() == [0, 0]


def test_the_same_input_gives_the_same_bytes():
    first, second = (estimated(walk(6, 100, 0.1), 1e-3, 1e-2) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_errors_are_found_where_images_are_looked_at_in_several_blocks(monkeypatch):
    monkeypatch.setattr(noise_module, "BLOCK_SIZE", 6)  # of 16 images: three blocks
    rotation, center = estimated(walk(16, 200, 0.1), 5e-4, 5e-3)
    assert 0.6 * 5e-4 < rotation < 1.5 * 5e-4 and 0.6 * 5e-3 < center < 1.5 * 5e-3


def block_of(count=3, num_points=12, noise=0.5):
    world = walk(count, num_points, noise)
    (block,) = _blocks(triangulate(world.images, world.keypoints, world.matches, EXACT_POSES), world.keypoints, 4)
    return block


def dense(block, weights):
    """Residuals, derivatives by all poses and by all points, each row times the root of its weight."""
    rows = np.arange(len(block.seen))
    by_poses = np.zeros((len(rows), 2, block.num_images, 6))
    by_points = np.zeros((len(rows), 2, block.num_points, 3))
    by_poses[rows, :, block.seen.image] = block.at.by_pose
    by_points[rows, :, block.seen.point] = block.at.by_point
    roots = np.repeat(np.sqrt(weights), 2)
    terms = block.residuals.ravel(), by_poses.reshape(len(roots), -1), by_points.reshape(len(roots), -1)
    return [(term.T * roots).T for term in terms]


def test_a_block_numbers_its_images_and_points_without_gaps():
    block = block_of()
    assert sorted(set(block.seen.image.tolist())) == [0, 1, 2] and block.num_images == 3
    assert sorted(set(block.seen.point.tolist())) == list(range(block.num_points))
    assert (np.bincount(block.seen.point) >= 2).all()


def test_points_are_eliminated_as_by_projecting_on_what_no_point_explains():
    block = block_of()
    weights = np.random.default_rng(0).uniform(1, 3, len(block.seen))
    residuals, by_poses, by_points = dense(block, weights)
    rest = np.eye(len(residuals)) - by_points @ np.linalg.pinv(by_points)
    normal, right = _eliminate_points(block, weights)
    np.testing.assert_allclose(normal, by_poses.T @ rest @ by_poses, rtol=1e-4, atol=1e-6 * np.abs(normal).max())
    np.testing.assert_allclose(right, by_poses.T @ rest @ residuals, rtol=1e-4, atol=1e-6 * np.abs(right).max())


def test_how_many_points_are_taken_at_a_time_changes_nothing(monkeypatch):
    block = block_of(3, 40)
    whole = _eliminate_points(block, np.ones(len(block.seen)))
    monkeypatch.setattr(noise_module, "POINTS_AT_A_TIME", 7)
    for part, expected in zip(_eliminate_points(block, np.ones(len(block.seen))), whole, strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-9 * np.abs(expected).max())


def test_what_is_left_over_is_what_least_squares_with_the_prior_leaves():
    block, variances = block_of(), np.array([1e-6, 4e-4])
    weights = np.random.default_rng(0).uniform(1, 3, len(block.seen))
    residuals, by_poses, by_points = dense(block, weights)
    prior = np.diag(np.tile([1e3, 1e3, 1e3, 50, 50, 50], 3))  # one over the standard deviations 1e-3 and 2e-2
    design = np.block([[by_poses, by_points], [prior, np.zeros((18, by_points.shape[1]))]])
    solution = np.linalg.lstsq(design, np.concatenate([residuals, np.zeros(18)]))[0]
    expected = (residuals - design[:-18] @ solution).reshape(-1, 2) / np.sqrt(weights)[:, None]
    found = _left_over(block, weights, _eliminate_points(block, weights), variances)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_keypoint_weighs_one_over_its_noise_and_less_in_the_tail():
    block = replace(block_of(), num_points=2)
    of_four = np.sqrt([[2, 0], [1, 1], [0, 2], [9, 9]])  # mean squares 1, 1, 1 and 9
    noise = 1 / np.log(2) / 0.25  # the median's; of 8 numbers the two points take 6
    np.testing.assert_allclose(_weights(block, of_four), 1.25 / (noise + np.array([1, 1, 1, 9]) / 4))
    np.testing.assert_allclose(_weights(block, 1e-4 * of_four), 1e8 * _weights(block, of_four))
    np.testing.assert_allclose(_weights(replace(block, num_points=0), of_four)[0], 1.25 / (1 / np.log(2) + 0.25))


def test_a_unit_is_what_moves_keypoints_by_a_pixel():
    turn, shift = _units(block_of(3, 200))
    assert turn == pytest.approx(1 / 900, rel=0.15)  # of 900 px of focal length, a little more off the axis
    assert shift == pytest.approx(7.5 / 900, rel=0.1)  # the slab lies 6 to 9 m away


def test_the_variance_of_errors_is_that_of_what_is_seen_less_that_of_the_noise():
    """Errors seen with 4 and 9 times their noise: the fixed point v = s^2 - noise^2, by hand."""
    ones = np.ones(6)
    information = 100 * ones  # noise^2 = 0.01
    seen = [0.2 * ones, np.r_[0.2, 0.2, 0.2, 0.4, 0.4, 0.4]]
    systems = [(np.diag(information), information * errors) for errors in seen]
    found = _maximum_likelihood(systems, np.full(2, 0.02), np.full(2, 1e-6))
    np.testing.assert_allclose(found, [0.04 - 0.01, (0.04 + 0.16) / 2 - 0.01], rtol=0.02)
    least = _maximum_likelihood([(np.diag(information), np.zeros(6))], np.full(2, 0.02), np.array([1e-4, 1e-5]))
    assert least.tolist() == [1e-4, 1e-5]
