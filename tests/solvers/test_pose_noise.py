"""The size of pose errors, against errors that were drawn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import walk

from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_noise import pose_noise
from vloc.solvers.triangulation import TriangulationConfig, triangulate

EXACT_POSES = TriangulationConfig(pose_error_px=0.0)


def estimated(world, rotation=0.0, center=0.0, seed=0):
    """What is found where every given pose is off by errors of these standard deviations."""
    rng = np.random.default_rng(seed)
    poses = world.images.cam_from_world
    turns = Rotation.from_rotvec(rng.normal(0, rotation, (len(poses), 3))).as_matrix()
    wrong = Rigid(turns, rng.normal(0, center, (len(poses), 3))) @ poses
    images = replace(world.images, cam_from_world=wrong)
    sparse = triangulate(images, world.keypoints, world.matches, EXACT_POSES)
    return pose_noise(sparse, world.keypoints)


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
