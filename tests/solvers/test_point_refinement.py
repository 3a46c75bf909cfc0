"""Points beside offsets of whole images, against the exact points of a synthetic world."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares
from world import FISHEYE, OPENCV, walk

from vloc.data.sparse_map import NO_POINT
from vloc.geometry.alignment import align
from vloc.geometry.projection import project
from vloc.solvers.observations import Observations
from vloc.solvers.point_refinement import _offsets, _weights, extrapolated, refine_points
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate

EXACT_POSES = TriangulationConfig(pose_error_px=0.0)


def true_points(world, sparse):
    """For every point, the true point that its keypoints show."""
    shown = np.zeros(len(sparse.points), int)
    for i in range(len(world.images)):
        rows = sparse.points_of(i)
        shown[rows[rows != NO_POINT]] = world.point_of[i][rows != NO_POINT]
    return world.points[shown]


def median_error(world, sparse):
    """Median distance of points from the true points."""
    return np.median(np.linalg.norm(sparse.points - true_points(world, sparse), axis=1))


def median_shape_error(world, sparse):
    """The same after the similarity that offsets of all images together leave open."""
    aligned = align(sparse.points, true_points(world, sparse)).apply(sparse.points)
    return np.median(np.linalg.norm(aligned - true_points(world, sparse), axis=1))


def shifted(world, sigma):
    """The same world, each image's keypoints moved alike by a random offset."""
    rng = np.random.default_rng(1)
    moved = [(points + rng.normal(0, sigma, 2)).astype(np.float32) for points in world.keypoints]
    return replace(world, keypoints=moved)


def test_offsets_of_images_no_longer_bend_the_points():
    world = shifted(walk(noise=0.02), 0.5)
    plain = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    refined = refine_points(plain, world.keypoints, 0.5)
    assert median_shape_error(world, refined) < 0.7 * median_shape_error(world, plain)


def test_exact_poses_cost_next_to_nothing():
    world = walk(noise=0.2)
    plain = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    refined = refine_points(plain, world.keypoints, 0.1)
    assert median_error(world, refined) < 1.1 * median_error(world, plain)


def test_poses_cameras_and_observations_stay():
    world = walk(noise=0.5)
    plain = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    refined = refine_points(plain, world.keypoints, 0.3)
    assert refined.cam_from_world is plain.cam_from_world and refined.cameras == plain.cameras
    assert np.array_equal(refined.point_of_keypoint, plain.point_of_keypoint)


def test_a_map_without_points_stays_empty():
    world = walk(noise=0.5)
    empty = triangulate(world.images, world.keypoints, {}, EXACT_POSES)
    assert len(refine_points(empty, world.keypoints, 0.1).points) == 0


def test_the_same_input_gives_the_same_bytes():
    world = walk(noise=0.5)
    plain = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    first, second = (refine_points(plain, world.keypoints, 0.1) for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()


def small_world(distance):
    """Four images of two cameras, each image off by some tenths of a pixel, and points begun `distance` m off."""
    world = shifted(walk(count=4, num_points=16, noise=0.1, cameras=(OPENCV, FISHEYE), seed=3), 0.3)
    plain = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    start = plain.points + np.random.default_rng(4).uniform(-distance, distance, plain.points.shape)
    return world, replace(plain, points=start)


def cost_terms(sparse, keypoints, points, offsets, sigma):
    """What is to be minimised, as terms to be squared: Cauchy's loss (0.5 px), offsets over sigma times 0.2 px."""
    terms = [0.2 / sigma * offsets]
    for row in range(len(sparse.image_names)):
        shown = sparse.points_of(row)
        seen = shown != NO_POINT
        pixels = project(sparse.camera(row), sparse.cam_from_world[row].apply(points[shown[seen]]))
        left = keypoints[row][seen] - pixels - offsets[row]
        squares = (left**2).sum(axis=1, keepdims=True)
        terms.append(left * np.sqrt(0.25 * np.log1p(squares / 0.25) / squares))
    return np.concatenate(terms).ravel()


@pytest.mark.parametrize("sigma", [0.3])
def test_points_are_at_the_minimum_that_scipy_finds(sigma):
    world, sparse = small_world(0.02)
    refined = refine_points(sparse, world.keypoints, sigma)
    none, count = np.zeros(8), refined.points.size
    of_all = lambda x: cost_terms(sparse, world.keypoints, x[:count].reshape(-1, 3), x[count:].reshape(4, 2), sigma)  # noqa: E731
    joint = least_squares(of_all, np.concatenate([refined.points.ravel(), none]))
    best_offsets = [
        least_squares(lambda x, p=p: of_all(np.concatenate([p.ravel(), x])), none).cost
        for p in (sparse.points, refined.points)
    ]
    before, after = (cost - joint.cost for cost in best_offsets)
    assert -1e-6 < after < 1e-3 * before
    assert np.abs(joint.x[:count] - refined.points.ravel()).max() < 0.005


def test_errors_of_points_are_mean_distances_of_their_keypoints():
    world, sparse = small_world(0.0)
    refined = refine_points(sparse, world.keypoints, 0.1)
    distances = [[] for _ in refined.points]
    for row in range(4):
        for keypoint, point in zip(world.keypoints[row], refined.points_of(row), strict=True):
            if point != NO_POINT:
                in_cam = refined.cam_from_world[row].apply(refined.points[point][None])
                distances[point].append(np.linalg.norm(project(refined.camera(row), in_cam)[0] - keypoint))
    np.testing.assert_allclose(refined.point_errors, [np.mean(some) for some in distances], rtol=1e-5)


def test_a_point_that_would_leave_the_front_of_a_camera_stays():
    world, sparse = small_world(0.0)
    behind = sparse.points.copy()
    behind[7] = [0.0, 0.0, -5.0]
    refined = refine_points(replace(sparse, points=behind), world.keypoints, 0.1)
    assert np.array_equal(refined.points[7], behind[7])
    others = np.arange(len(behind)) != 7
    assert np.isfinite(refined.points).all() and np.isfinite(refined.point_errors).all()
    assert np.linalg.norm(refined.points - sparse.points, axis=1)[others].max() < 0.1


def test_covariances_of_points_are_their_spread_over_noise():
    rng, exact = np.random.default_rng(0), walk(6, 150, noise=0.0, seed=3)
    normalised = []
    for _ in range(8):
        noisy = [(points + rng.normal(0, 0.2, points.shape)).astype(np.float32) for points in exact.keypoints]
        sparse = triangulate(exact.images, noisy, exact.matches, EXACT_POSES)
        errors = sparse.points - true_points(exact, sparse)
        full = sparse.point_covariances[:, [[0, 1, 2], [1, 3, 4], [2, 4, 5]]].astype(np.float64)
        normalised.append(np.einsum("pi,pij,pj->p", errors, np.linalg.inv(full), errors))
    assert 0.85 < np.median(np.concatenate(normalised)) / 2.366 < 1.15  # of chi-square with 3 degrees of freedom


def test_an_offset_is_the_weighted_mean_drawn_to_zero_by_its_prior():
    seen = Observations(np.array([0, 0, 2], np.int32), np.array([0, 1, 0], np.int32))
    left, weights = np.array([[1.0, 0], [3.0, 0], [0.0, -6]]), np.array([1.0, 3.0, 2.0])
    found = _offsets(left, weights, seen, 3, 0.1)  # the prior weighs (0.2 / 0.1)^2 = 4
    np.testing.assert_allclose(found, [[10 / 8, 0], [0, 0], [0, -12 / 6]])
    assert np.abs(_offsets(left, weights, seen, 3, 0.0)).max() < 1e-5


def test_a_crowd_of_keypoints_tells_no_more_of_an_offset_than_thirty():
    seen = Observations(np.zeros(300, np.int32), np.arange(300, dtype=np.int32))
    found = _offsets(np.full((300, 2), 0.9), np.ones(300), seen, 1, 0.1)
    np.testing.assert_allclose(found, [[0.9 * 30 / (30 + 4)] * 2])


def test_an_affine_iteration_in_two_dimensions_ends_at_its_fixed_point_after_three_steps():
    rng, slow, fixed = np.random.default_rng(3), np.array([[0.98, 0.01], [0.0, 0.9]]), np.array([2.0, -1.0])
    value, steps = rng.normal(size=(1, 2)), []
    for _ in range(3):
        steps.append((value, slow @ (value[0] - fixed) + fixed - value))
        value = extrapolated(steps)
    np.testing.assert_allclose(value, [fixed], rtol=1e-9)


def test_a_residual_of_half_a_pixel_weighs_half():
    found = _weights(np.array([[0.3, -0.4], [0.0, 0.0], [-1.5, 0.0]]))
    np.testing.assert_allclose(found, [1 / 2, 1, 1 / 10])
