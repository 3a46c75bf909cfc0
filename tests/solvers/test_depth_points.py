"""Points from depth, against the exact points of a synthetic world in which every point lies on a plane of its own."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from test_point_refinement import median_error, true_points
from test_pose_covariance import motion
from world import OPENCV, PINHOLE, walk

from vloc.data.sparse_map import NO_POINT, full_covariances
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.depth_noise import LEAST_RELATIVE
from vloc.solvers.depth_points import LiftLimits, lift
from vloc.solvers.point_refinement import refine_points
from vloc.solvers.pose_covariance import covariance_of_map
from vloc.solvers.pose_refinement import refine_pose
from vloc.solvers.surfaces import lifted
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate

LIMITS = LiftLimits(merge_m=0.0005, max_reproj_error=4.0, pose_error_px=0.0)
EXACT_POSES = TriangulationConfig(pose_error_px=0.0)


def planes_of(world, sigma=0.0, seed=0):
    """For every keypoint the plane of its point in the camera, at a random slant, its depth off by `sigma` m."""
    rng = np.random.default_rng(seed)
    normals = rng.normal([0, 0, 1], 0.3, world.points.shape)
    found = []
    for image, shown in enumerate(world.point_of):
        pose = world.images.cam_from_world[image]
        in_cam, turned = pose.apply(world.points[shown]), normals[shown] @ pose.rotation.T
        wrong = in_cam * (1 + rng.normal(0, sigma, (len(shown), 1)) / in_cam[:, 2:])
        found.append((turned / np.einsum("ni,ni->n", turned, wrong)[:, None]).astype(np.float32))
    return found


def of(world, planes, limits=LIMITS, start=None, matches=None):
    return lift(world.images, world.keypoints, planes, world.matches if matches is None else matches, limits, start)


def test_every_keypoint_with_depth_shows_a_point_that_is_right():
    world = walk()
    sparse = of(world, planes_of(world))
    assert (sparse.point_of_keypoint != NO_POINT).all()
    assert len(sparse.points) == len(np.unique(np.concatenate(world.point_of)))
    np.testing.assert_allclose(sparse.points, true_points(world, sparse), atol=1e-4)
    assert sparse.cam_from_world is world.images.cam_from_world and sparse.mean_error < 1e-2


def test_keypoints_are_merged_along_matches_and_where_they_coincide():
    world = walk(num_points=60)
    apart = of(world, planes_of(world), replace(LIMITS, merge_m=0.0), matches={})
    assert len(apart.points) == len(apart.point_of_keypoint)
    near = of(world, planes_of(world), replace(LIMITS, merge_m=0.001), matches={})
    assert len(near.points) == len(np.unique(np.concatenate(world.point_of)))
    along = of(world, planes_of(world), replace(LIMITS, merge_m=0.0))
    assert np.array_equal(along.point_of_keypoint, near.point_of_keypoint)


def test_keypoints_without_depth_join_the_point_of_their_match():
    world = walk()
    planes = planes_of(world)
    planes[3] = None
    planes[2][::2] = np.nan
    sparse = of(world, planes)
    assert (sparse.points_of(3) != NO_POINT).mean() > 0.95
    np.testing.assert_allclose(sparse.points, true_points(world, sparse), atol=1e-4)


def test_a_match_that_depth_contradicts_joins_nothing():
    world = walk()
    wrong = {pair: np.c_[rows[:, 0], np.roll(rows[:, 1], 1)].astype(np.uint32) for pair, rows in world.matches.items()}
    sparse = of(world, planes_of(world), matches={(0, 1): wrong[0, 1]})
    assert np.linalg.norm(sparse.points - true_points(world, sparse), axis=1).max() < 1e-4


def test_exact_depth_is_better_than_triangulation_and_both_are_best():
    world = walk(noise=0.5)
    met = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    from_depth, both = of(world, planes_of(world)), of(world, planes_of(world), start=met)
    assert median_error(world, from_depth) < 0.6 * median_error(world, met)
    assert median_error(world, both) < 1.02 * median_error(world, from_depth)


def test_noisy_depth_does_not_spoil_what_rays_say():
    world = walk(noise=0.5)
    met = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    met = refine_points(met, world.keypoints, 1e-6)
    for sigma in (0.02, 0.2):
        both = of(world, planes_of(world, sigma), start=met)
        shown = met.point_of_keypoint != NO_POINT
        points = [sparse.points[sparse.point_of_keypoint[shown]] for sparse in (met, both)]
        truth = world.points[np.concatenate(world.point_of)[shown]]
        before, after = (np.median(np.linalg.norm(found - truth, axis=1)) for found in points)
        assert after < (0.7 if sigma < 0.1 else 1.02) * before


def test_depth_that_is_wrong_draws_no_point_that_rays_fix():
    world = walk(noise=0.1)
    planes = planes_of(world)
    planes[4] = planes[4] * np.float32(0.8)  # a quarter further away
    met = triangulate(world.images, world.keypoints, world.matches, EXACT_POSES)
    right, wrong = (of(world, given, start=met) for given in (planes_of(world), planes))
    assert median_error(world, wrong) < 1.3 * median_error(world, right)


def test_covariances_of_points_are_those_of_their_errors():
    """Of points that several keypoints show: of a single one's keypoint noise nothing tells."""
    world = walk(count=4, num_points=2000, noise=0.4)
    sparse = of(world, planes_of(world, 0.02))
    errors = sparse.points - true_points(world, sparse)
    inverse = np.linalg.inv(full_covariances(sparse.point_covariances))
    squares = np.einsum("pi,pij,pj->p", errors, inverse, errors)
    assert 0.75 < np.median(squares[sparse.track_lengths > 1]) / 2.37 < 1.5  # the median of chi^2 with three


def test_a_map_without_depth_or_matches_has_no_points():
    world = walk(num_points=20)
    assert len(of(world, [None] * 8).points) == 0
    assert len(of(world, [None] * 8, matches={}).points) == 0


@pytest.mark.parametrize("count", [1, 4])
def test_an_error_of_a_map_pose_moves_a_query_as_the_covariance_says(count):
    """With points that one image shows, which go with it, and with those that several do."""
    world = walk(count, 120, cameras=(OPENCV,))
    planes, noise, step = planes_of(world), np.array([1e-3, 5e-3]), 1e-5
    sparse = of(world, planes)
    query = Rigid(Rotation.from_rotvec([0.02, -0.03, 0.1]).as_matrix(), np.array([-1.1, 0.1, 0.3]))
    pixels, expected = project(PINHOLE, query.apply(sparse.points)), np.zeros((6, 6))
    sigmas = LEAST_RELATIVE * lifted(world.images, world.keypoints, planes).depths  # of exact depth

    def query_with(poses):
        known = lifted(replace(world.images, cam_from_world=poses), world.keypoints, planes)
        surfaces = known.surfaces(sparse.point_of_keypoint, sigmas)
        points = sparse.points.copy()
        alone = np.flatnonzero(sparse.track_lengths[sparse.point_of_keypoint] == 1)
        points[sparse.point_of_keypoint[alone]] = known.points[alone]
        bent = refine_points(replace(sparse, cam_from_world=poses, points=points), world.keypoints, 1e-6, surfaces)
        return refine_pose(pixels, bent.points, PINHOLE, query, 0.5).cam_from_world

    for image in range(count):
        for component in range(6):
            poses, change = sparse.cam_from_world, np.zeros(6)
            change[component] = step
            moved = Rigid(poses.rotation.copy(), poses.translation.copy())
            wrong = Rigid(Rotation.from_rotvec(change[:3]).as_matrix(), change[3:]) @ poses[image]
            moved.rotation[image], moved.translation[image] = wrong.rotation, wrong.translation
            one = motion(query_with(moved), query) / step * noise[component // 3]
            expected += np.outer(one, one)
    by_point = refine_pose(pixels, sparse.points, PINHOLE, query, 0.5).by_point
    rows = np.arange(len(sparse.points), dtype=np.int32)
    told = covariance_of_map(replace(sparse, pose_noise=noise), rows, by_point)
    scale = np.sqrt(np.diag(expected))
    assert np.abs((told - expected) / np.outer(scale, scale)).max() < 0.05
