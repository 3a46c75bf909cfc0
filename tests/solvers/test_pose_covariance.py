"""Covariances of poses, against small changes that are made and against the spread over noise that is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV, PINHOLE, sightings, walk

from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.point_refinement import refine_points
from vloc.solvers.pose_covariance import DEPENDENCE, SAMPLE, _few, covariance_of_map, inverse_of, sensitivity
from vloc.solvers.pose_refinement import refine_pose
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate


def motion(after, before):
    """(rotation, translation) of the left perturbation between two poses."""
    delta = after @ before.inverse()
    return np.array([*Rotation.from_matrix(delta.rotation).as_rotvec(), *delta.translation])


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
def test_a_moved_point_moves_the_pose_as_its_derivative_says(camera):
    pixels, points, truth, _ = sightings(camera, 30)
    by_point = refine_pose(pixels, points, camera, truth, 0.5).by_point
    for axis in range(3):
        moved = points.copy()
        moved[7, axis] += 1e-4
        found = refine_pose(pixels, moved, camera, truth, 0.5).cam_from_world
        assert motion(found, truth) / 1e-4 == pytest.approx(by_point[7, :, axis], rel=0.02, abs=1e-4)


def test_matches_at_one_position_count_once():
    pixels, points, truth, _ = sightings(PINHOLE, 400, noise=0.2)
    once = refine_pose(pixels, points, PINHOLE, truth, 0.5).covariance
    twice = refine_pose(np.r_[pixels, pixels], np.r_[points, points], PINHOLE, truth, 0.5).covariance
    assert np.allclose(twice, once, rtol=0.02, atol=1e-3 * np.abs(once).max())


def test_noise_that_differs_from_match_to_match_is_measured_as_it_is():
    """Half of the keypoints are ten times as noisy, and lie where they matter most for the translation."""
    rng = np.random.default_rng(0)
    exact, points, truth, _ = sightings(PINHOLE, 150)
    sigma = np.where(truth.apply(points)[:, 2] < 5, 0.5, 0.05)[:, None]
    moves, claimed = [], []
    for _ in range(100):
        found = refine_pose(exact + rng.normal(0, 1, exact.shape) * sigma, points, PINHOLE, truth, 0.5)
        moves.append(motion(found.cam_from_world, truth))
        claimed.append(found.covariance / DEPENDENCE)
    ratio = np.sqrt(np.diag(np.mean(claimed, axis=0)) / np.mean(np.square(moves), axis=0))
    assert np.all((ratio > 0.85) & (ratio < 1.15))


def small_map():
    """A map of five images with exact points, and a query amid it: its pixels, points' rows, camera and pose."""
    world = walk(5, 120, cameras=(OPENCV,))
    sparse = triangulate(world.images, world.keypoints, world.matches, TriangulationConfig(pose_error_px=0.0))
    query = Rigid(Rotation.from_rotvec([0.02, -0.03, 0.1]).as_matrix(), np.array([-1.1, 0.1, 0.3]))
    return world, sparse, project(PINHOLE, query.apply(sparse.points)), query


def test_an_error_of_a_map_pose_moves_a_query_as_the_covariance_says():
    """Every component of every pose is moved a little, the points are refined anew and the query as well."""
    world, sparse, pixels, query = small_map()
    noise, step = np.array([1e-3, 5e-3]), 1e-5
    expected = np.zeros((6, 6))
    for image in range(5):
        for component in range(6):
            poses = sparse.cam_from_world
            change = np.zeros(6)
            change[component] = step
            moved = Rigid(poses.rotation.copy(), poses.translation.copy())
            wrong = Rigid(Rotation.from_rotvec(change[:3]).as_matrix(), change[3:]) @ poses[image]
            moved.rotation[image], moved.translation[image] = wrong.rotation, wrong.translation
            bent = refine_points(replace(sparse, cam_from_world=moved), world.keypoints, 1e-6)
            found = refine_pose(pixels, bent.points, PINHOLE, query, 0.5).cam_from_world
            one = motion(found, query) / step * noise[component // 3]
            expected += np.outer(one, one)
    by_point = refine_pose(pixels, sparse.points, PINHOLE, query, 0.5).by_point
    rows = np.arange(len(sparse.points), dtype=np.int32)
    told = covariance_of_map(replace(sparse, pose_noise=noise), rows, by_point)
    scale = np.sqrt(np.diag(expected))
    assert np.abs((told - expected) / np.outer(scale, scale)).max() < 0.03


def test_what_a_prior_leaves_open_stays_open_by_hand():
    """One number that four exact matches measure in x, with a prior of strength 4 and deviation 3."""
    jacobian = np.zeros((2, 1, 4))
    jacobian[0] = 1
    found = sensitivity(np.arange(8.0).reshape(4, 2), np.zeros((2, 4)), jacobian, 0.5, np.array([4.0]), np.array([3.0]))
    assert found.covariance == pytest.approx(np.array([[(4 * 3 / (4 + 4)) ** 2]]))
    np.testing.assert_allclose(found.by_residual, np.tile([[1 / 8, 0]], (4, 1, 1)))


def test_exact_poses_of_the_map_add_nothing():
    _, sparse, pixels, query = small_map()
    by_point = refine_pose(pixels, sparse.points, PINHOLE, query, 0.5).by_point
    rows = np.arange(len(sparse.points), dtype=np.int32)
    assert not covariance_of_map(replace(sparse, pose_noise=np.zeros(2)), rows, by_point).any()


def test_of_many_matches_a_thousand_say_what_all_do():
    """Thirty times the same matches, each of which says a thirtieth, in any order."""
    _, sparse, pixels, query = small_map()
    noisy = replace(sparse, pose_noise=np.array([1e-3, 5e-3]))
    by_point = refine_pose(pixels, sparse.points, PINHOLE, query, 0.5).by_point
    rows = np.arange(len(sparse.points), dtype=np.int32)
    order = np.random.default_rng(0).permutation(30 * len(rows))
    assert len(order) > 2 * SAMPLE
    many = covariance_of_map(noisy, np.tile(rows, 30)[order], np.tile(by_point / 30, (30, 1, 1))[order])
    once = covariance_of_map(noisy, rows, by_point)
    assert np.sqrt(np.diag(many)) == pytest.approx(np.sqrt(np.diag(once)), rel=0.1)


def test_a_normal_matrix_is_inverted_where_it_fixes_everything():
    """By hand; in units a million times apart as well."""
    np.testing.assert_allclose(inverse_of(np.array([[2.0, 1], [1, 2]])), np.array([[2, -1], [-1, 2]]) / 3)
    units = np.array([1.0, 1e6])
    found = inverse_of(np.array([[2.0, 1], [1, 2]]) * np.outer(units, units))
    np.testing.assert_allclose(found, np.array([[2, -1], [-1, 2]]) / 3 / np.outer(units, units))
    for free in ([[1.0, 0], [0, 0]], [[1.0, 1], [1, 1]], [[np.inf, 0], [0, 1]], [[np.nan, 0], [0, 1]]):
        assert inverse_of(np.array(free)) is None


def test_few_matches_make_a_covariance_larger_by_the_numbers_that_were_fitted():
    assert _few(np.ones(20), 20, 6) == pytest.approx(40 / 32)  # all inliers: as for least squares, and Student's t
    assert _few(np.ones(40), 20, 6) == pytest.approx(40 / 32)  # two at each position
    # weights 1 and 1/2 have the slopes 1, 1, 1/2 and 0: mean 5/8, variance 11/64; and the curvatures 1 and 1/4
    correction, counting = 1 + 6 / 40 * (11 / 64) / (5 / 8) ** 2, 2 * 12.5**2 / 10.625
    assert _few(np.tile([1, 0.5], 10), 20, 6) == pytest.approx(correction**2 * counting / (counting - 8))
