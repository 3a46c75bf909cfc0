"""Triangulation with known poses, against the exact points of a synthetic world."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from world import walk

from vloc.data.sparse_map import NO_POINT
from vloc.errors import DataError
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate


def of(world, config=None):
    return triangulate(world.images, world.keypoints, world.matches, config or TriangulationConfig())


def true_points(world, sparse):
    """For every point, the true point that all of its keypoints show."""
    shown = np.full(len(sparse.points), -1)
    for i in range(len(world.images)):
        rows = sparse.points_of(i)
        has = rows != NO_POINT
        assert np.isin(shown[rows[has]], [-1, *world.point_of[i][has]]).all()
        shown[rows[has]] = world.point_of[i][has]
    return world.points[shown]


def test_exact_keypoints_give_the_exact_points():
    world = walk()
    sparse = of(world)
    assert len(sparse.points) > 300 and sparse.mean_error < 1e-3
    assert np.abs(sparse.points - true_points(world, sparse)).max() < 1e-3  # keypoints are float32


def test_noisy_keypoints_give_points_at_the_noise_and_errors_near_it():
    world = walk(noise=0.5)
    sparse = of(world)
    assert np.median(np.linalg.norm(sparse.points - true_points(world, sparse), axis=1)) < 0.03
    assert 0.3 < sparse.mean_error < 0.7


def test_point_errors_are_the_mean_reprojection_errors():
    world = walk(noise=0.5)
    sparse = of(world)
    total, count = np.zeros(len(sparse.points)), np.zeros(len(sparse.points))
    for i in range(len(world.images)):
        rows = sparse.points_of(i)
        has = rows != NO_POINT
        pixels = project(world.images.camera(i), world.images.cam_from_world[i].apply(sparse.points[rows[has]]))
        np.add.at(total, rows[has], np.linalg.norm(pixels - world.keypoints[i][has], axis=1))
        np.add.at(count, rows[has], 1)
    assert np.array_equal(count, sparse.track_lengths)
    assert np.allclose(total / count, sparse.point_errors, atol=1e-4)


def test_cameras_and_poses_come_back_untouched():
    world = walk(noise=0.5)
    sparse = of(world)
    assert sparse.cam_from_world is world.images.cam_from_world and sparse.cameras == world.images.cameras


def test_two_view_points_are_kept_unless_longer_tracks_are_asked_for():
    world = walk(noise=0.5)
    some = {pair: matches for pair, matches in world.matches.items() if pair in {(0, 1), (2, 3), (3, 4), (2, 4)}}
    world = replace(world, matches=some)
    assert of(world).track_lengths.min() == 2
    assert of(world, TriangulationConfig(keep_two_view_points=False)).track_lengths.min() == 3


def test_wrong_matches_are_dropped():
    world = walk(noise=0.5)
    rng = np.random.default_rng(0)
    wrong = {}
    for pair, matches in world.matches.items():
        wrong[pair] = np.concatenate([matches, rng.integers(0, 100, (60, 2))]).astype(np.uint32)
    sparse = of(replace(world, matches=wrong))
    assert sparse.point_errors.max() < 4 and np.median(sparse.point_errors) < 0.7


def test_an_image_without_keypoints_or_matches_is_a_row_without_points():
    world = walk(count=4)
    keypoints = [*world.keypoints[:3], np.zeros((0, 2), np.float32)]
    matches = {pair: m for pair, m in world.matches.items() if 3 not in pair} | {(0, 3): np.zeros((0, 2), np.uint32)}
    sparse = of(replace(world, keypoints=keypoints, matches=matches))
    assert sparse.image_names == world.images.names and len(sparse.points_of(3)) == 0 and len(sparse.points) > 100


def test_no_matches_make_an_empty_map():
    sparse = of(replace(walk(count=2), matches={}))
    assert len(sparse.points) == 0 and sparse.num_observations == 0 and sparse.points.shape == (0, 3)


def test_large_world_coordinates_cost_no_accuracy():
    world = walk(noise=0.3)
    far = np.array([4e5, 5e6, 100.0])
    poses = world.images.cam_from_world
    moved = Rigid(poses.rotation, poses.translation - poses.rotation @ far)
    sparse = of(replace(world, images=replace(world.images, cam_from_world=moved), points=world.points + far))
    near = of(world)
    assert len(sparse.points) == len(near.points)
    assert np.abs(sparse.points - far - near.points).max() < 1e-3


def test_the_result_is_the_same_on_one_and_two_cores():
    program = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from world import walk
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import triangulate
w = walk(noise=0.5)
arrays = triangulate(w.images, w.keypoints, w.matches, TriangulationConfig()).to_arrays()
print(hashlib.sha256(b"".join(arrays[k].tobytes() for k in sorted(arrays))).hexdigest())
"""
    run = [sys.executable, "-c", program, str(Path(__file__).parent)]
    outputs = {
        subprocess.run([*command, *run], capture_output=True, text=True, check=True).stdout
        for command in ([], ["taskset", "-c", "0"])
    }
    assert len(outputs) == 1


def test_impossible_matches_are_refused():
    world = walk(count=2)
    with pytest.raises(DataError, match=r"pair \(0, 1\): matches name keypoints"):
        of(replace(world, matches={(0, 1): np.array([[0, 10_000]], np.uint32)}))


def test_errors_of_poses_are_estimated_unless_the_poses_are_exact_or_the_errors_known():
    world = walk(noise=0.3)
    exact, known, estimated = (of(world, TriangulationConfig(pose_error_px=px)) for px in (0.0, 0.2, None))
    assert not exact.pose_noise.any() and known.pose_noise.all() and estimated.pose_noise.all()
    assert not np.array_equal(exact.points, estimated.points)
    assert not np.array_equal(known.points, estimated.points)


@pytest.mark.wrong_shapes
def test_fewer_sets_of_keypoints_than_images_are_refused():
    world = walk(count=3)
    with pytest.raises(DataError, match="2 sets of keypoints, expected one for each of 3"):
        of(replace(world, keypoints=world.keypoints[:2]))
