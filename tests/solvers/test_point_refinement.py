"""Points beside offsets of whole images, against the exact points of a synthetic world."""

from dataclasses import replace

import numpy as np
from world import walk

from vloc.data.sparse_map import NO_POINT
from vloc.geometry.alignment import align
from vloc.solvers.point_refinement import refine_points
from vloc.solvers.triangulation import TriangulationConfig, triangulate

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
