"""Poses by two matches and a felt up: against PoseLib's solver, by hand, and where three matches fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.capture import CALIBRATED
from vloc.errors import DataError
from vloc.geometry.motion import by_motion
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.pnp import PnpConfig, PnpResult
from vloc.solvers.pose_priors import Upright
from vloc.solvers.upright_pose import level_axes, poses_of_two, upright_pose

from .world import FISHEYE, PINHOLE, random_pose, sightings

UP = np.array([0.0, 0.0, 1.0])
CONFIG = PnpConfig()


def felt(pose: Rigid, degrees: float, rng: np.random.Generator) -> Upright:
    """What an accelerometer of that standard deviation says."""
    tilt = by_motion(np.append(np.radians(degrees) * rng.normal(size=3), np.zeros(3)))
    return Upright(tilt.rotation @ pose.rotation @ UP, UP, float(np.radians(degrees)))


def found(camera, up: Upright, pixels: np.ndarray, points: np.ndarray, config: PnpConfig = CONFIG) -> PnpResult:
    return upright_pose(pixels, points, camera, config, up, 0, CALIBRATED)


def test_two_matches_have_the_poses_that_poselib_finds() -> None:
    import poselib

    rng, num_right = np.random.default_rng(0), 0
    for _ in range(50):
        pose = random_pose(rng)
        in_cam = np.c_[rng.uniform(-2, 2, (2, 2)), rng.uniform(2, 6, 2)]
        points, rays = pose.inverse().apply(in_cam), in_cam / in_cam[:, 2:]
        ours = poses_of_two(rays[None], points[None], (pose.rotation @ UP)[None], UP)
        # PoseLib's up is the second axis of both, and its rays have length 1
        order = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # level axes -> PoseLib's, without a reflection
        cam, world = order @ level_axes(pose.rotation @ UP), order @ level_axes(UP)
        unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        theirs = [Rigid(cam.T @ p.R @ world, cam.T @ p.t.ravel()) for p in poselib.up2p(unit @ cam.T, points @ world.T)]
        in_front = [p for p in theirs if (np.einsum("ij,ij->i", p.apply(points), rays) > 0).all()]
        assert len(ours) == len(in_front)
        for expected in in_front:
            gaps = [np.abs(ours[row].rotation - expected.rotation).max() for row in range(len(ours))]
            row = int(np.argmin(gaps))
            np.testing.assert_allclose(ours[row].rotation, expected.rotation, atol=1e-6)
            np.testing.assert_allclose(ours[row].translation, expected.translation, atol=1e-5)
        num_right += any(pose_errors(ours[row], pose)[0] < 1e-6 for row in range(len(ours)))
    assert num_right == 50


def test_a_pose_worked_by_hand() -> None:
    # A camera at the origin looks along x of the world, z is up: its right is -y, its down is -z.
    expected = Rigid(np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]), np.zeros(3))
    points = np.array([[4.0, 1, 1], [2.0, -1, 0.5]])
    rays = np.array([[-0.25, -0.25, 1], [0.5, -0.25, 1]])
    poses = poses_of_two(rays[None], points[None], np.array([[0.0, -1, 0]]), UP)
    away = [np.abs(poses[row].rotation - expected.rotation).max() for row in range(len(poses))]
    assert min(away) < 1e-12
    np.testing.assert_allclose(poses[int(np.argmin(away))].translation, 0, atol=1e-12)


@pytest.mark.parametrize("points", [[[4.0, 1, 0], [2.0, -1, 0]], [[4.0, 1, 1], [4.0, 1, 1]]])
def test_level_rays_and_coinciding_points_have_no_pose(points: list) -> None:
    in_world = np.array(points)
    rays = np.stack([-in_world[:, 1] / in_world[:, 0], -in_world[:, 2] / in_world[:, 0], np.ones(2)], axis=1)
    assert not len(poses_of_two(rays[None], in_world[None], np.array([[0.0, -1, 0]]), UP))


def test_two_matches_find_what_three_miss() -> None:
    rng, placed = np.random.default_rng(0), {"two": 0, "three": 0}
    config = replace(CONFIG, max_iterations=2000)
    for seed in range(4):
        pixels, points, pose, _ = sightings(PINHOLE, 600, 0.7, 0.95, seed)
        results = {
            "two": found(PINHOLE, felt(pose, 0.5, rng), pixels, points, config),
            "three": absolute_pose(pixels, points, PINHOLE, config),
        }
        for way, result in results.items():
            pose_found = result.cam_from_world
            placed[way] += pose_found is not None and bool(pose_errors(pose_found, pose)[0] < 0.1)
    assert placed["two"] == 4 and placed["three"] < 4


@pytest.mark.parametrize("camera", [PINHOLE, FISHEYE])
def test_an_accelerometer_that_is_off_biases_nothing(camera) -> None:
    pixels, points, pose, _ = sightings(camera, 200, 0.5, 0.3, 3, offset=1e5)
    up = felt(pose, 1.0, np.random.default_rng(1))
    ours, plain = found(camera, up, pixels, points), absolute_pose(pixels, points, camera, CONFIG)
    assert ours.cam_from_world is not None and plain.cam_from_world is not None
    np.testing.assert_array_equal(ours.inliers, plain.inliers)
    np.testing.assert_allclose(ours.cam_from_world.center, plain.cam_from_world.center, atol=1e-4)
    np.testing.assert_allclose(ours.cam_from_world.rotation, plain.cam_from_world.rotation, atol=1e-5)


def test_the_same_seed_gives_the_same_pose() -> None:
    pixels, points, pose, _ = sightings(PINHOLE, 100, 0.5, 0.5, 4)
    up = felt(pose, 1.0, np.random.default_rng(0))
    poses = [found(PINHOLE, up, pixels, points).cam_from_world for _ in range(2)]
    assert poses[0] is not None and poses[1] is not None
    np.testing.assert_array_equal(poses[0].translation, poses[1].translation)


def test_what_has_no_pose_says_why() -> None:
    pixels, points, pose, _ = sightings(PINHOLE, 20, seed=5)
    up = felt(pose, 1.0, np.random.default_rng(0))
    assert found(PINHOLE, up, pixels[:5], points[:5]).reason == "5 matches, a pose needs 12"
    behind = Upright(-up.in_cam, up.in_world, 0.0)
    level = np.repeat(points[:1], 20, axis=0)
    assert "no two matches" in found(PINHOLE, behind, pixels, level).reason
    with pytest.raises(DataError, match="not finite"):
        found(PINHOLE, up, pixels * np.nan, points)


def test_level_axes_are_rotations_whose_third_axis_is_up() -> None:
    ups = Rotation.random(20, random_state=0).as_matrix()[:, 2]
    axes = level_axes(ups)
    np.testing.assert_allclose(axes @ axes.swapaxes(1, 2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-12)
    np.testing.assert_allclose(axes[:, 2], ups)
    np.testing.assert_allclose(np.linalg.det(axes), 1)
