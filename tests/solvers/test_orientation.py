"""Poses from matches of 3D points: against scipy's alignment, by hand, and among wrong matches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import unproject
from vloc.geometry.rigid import Rigid
from vloc.solvers.depth_pose import Surface
from vloc.solvers.orientation import DeepMatches, oriented, poses_of_three
from vloc.solvers.orientation_acceptance import ODDS, chance_of_depth, counted, odds_of_depth, weigh_orientation
from vloc.solvers.pnp import PnpConfig

from .world import FISHEYE, PINHOLE, random_pose, sightings

CONFIG = PnpConfig()
IMAGES = np.zeros(500, np.int32)


def deep(camera: Camera, pixels: np.ndarray, points: np.ndarray, depths: np.ndarray) -> DeepMatches:
    """Matches with keypoints on walls across the axis."""
    planes = np.column_stack([np.zeros((len(depths), 2)), 1 / depths])
    return DeepMatches.of(pixels, Surface(points, np.zeros((len(points), 3, 3)), planes), camera)


def seen(camera: Camera, count: int, outliers: float, seed: int) -> tuple[DeepMatches, Rigid, np.ndarray]:
    """Matches with depth to 0.2 %, the true pose, and which are wrong: those have any depth."""
    pixels, points, pose, wrong = sightings(camera, count, 0.5, outliers, seed, offset=1e4)
    rng = np.random.default_rng(seed)
    depths = pose.apply(points)[:, 2] * (1 + 0.002 * rng.normal(size=count))
    depths[wrong] = rng.uniform(1, 9, wrong.sum())
    return deep(camera, pixels, points, depths), pose, wrong


def test_three_points_have_the_pose_that_scipy_finds() -> None:
    rng = np.random.default_rng(0)
    truth = Rigid.stack([random_pose(rng) for _ in range(20)])
    in_world = rng.normal(size=(20, 3, 3))
    in_cam = np.einsum("hij,hkj->hki", truth.rotation, in_world) + truth.translation[:, None]
    noisy = in_cam + 0.01 * rng.normal(size=in_cam.shape)
    poses = poses_of_three(noisy, in_world)
    for row in range(20):
        ours, theirs = noisy[row] - noisy[row].mean(0), in_world[row] - in_world[row].mean(0)
        np.testing.assert_allclose(poses[row].rotation, Rotation.align_vectors(ours, theirs)[0].as_matrix(), atol=1e-6)
        np.testing.assert_allclose(poses[row].apply(in_world[row].mean(0)[None])[0], noisy[row].mean(0), atol=1e-12)
    exact = poses_of_three(in_cam, in_world)
    np.testing.assert_allclose(exact.rotation, truth.rotation, atol=1e-9)


def test_a_quarter_turn_worked_by_hand() -> None:
    in_world = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0]]])
    in_cam = np.array([[[0.0, 0, 5], [0, 1, 5], [-2, 0, 5]]])  # x becomes y, y becomes -x, five metres ahead
    pose = poses_of_three(in_cam, in_world)[0]
    np.testing.assert_allclose(pose.rotation, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(pose.translation, [0, 0, 5], atol=1e-12)


@pytest.mark.parametrize(("camera", "count", "outliers"), [(PINHOLE, 200, 0.94), (FISHEYE, 60, 0.7)])
def test_few_right_matches_among_many_give_the_pose(camera: Camera, count: int, outliers: float) -> None:
    matches, pose, wrong = seen(camera, count, outliers, 1)
    found = oriented(matches, camera, CONFIG, 0)
    assert found.cam_from_world is not None and found.covariance is not None and found.by_point is not None
    metres, radians = pose_errors(found.cam_from_world, pose)
    assert metres < 0.05 and radians < 0.01
    assert found.inliers[~wrong].mean() > 0.9 and found.inliers[wrong].mean() < 0.1
    assert not found.by_point[~found.inliers].any()


def test_a_rough_focal_length_is_found_with_the_pose() -> None:
    pixels, points, pose, wrong = sightings(PINHOLE, 150, 0.5, 0.3, 1)
    rough = PINHOLE.adjusted(0.04)
    found = oriented(deep(rough, pixels, points, pose.apply(points)[:, 2]), rough, CONFIG, 0, "EXIF 35 mm tag")
    assert found.cam_from_world is not None and found.camera is not None
    assert found.camera.focal[0] == pytest.approx(900, rel=0.005)
    assert pose_errors(found.cam_from_world, pose)[0] < 0.1 and found.inliers[~wrong].mean() > 0.9


def test_matches_that_agree_in_the_image_alone_are_no_inliers() -> None:
    pixels, points, pose, _ = sightings(PINHOLE, 60, 0.3, seed=2)
    depths = pose.apply(points)[:, 2].copy()
    depths[:20] *= 1.5
    found = oriented(deep(PINHOLE, pixels, points, depths), PINHOLE, CONFIG, 0)
    np.testing.assert_array_equal(np.flatnonzero(found.inliers), np.arange(20, 60))


def test_no_pose_is_a_result() -> None:
    matches, _, _ = seen(PINHOLE, 30, 1.0, 3)
    none = oriented(matches, PINHOLE, PnpConfig(max_error_px=0.5), 0)
    assert none.num_inliers < 6
    assert oriented(matches[np.arange(3)], PINHOLE, CONFIG, 0).reason == "no pose agrees with the depth map"
    assert counted(matches[np.arange(3)], oriented(matches[np.arange(3)], PINHOLE, CONFIG, 0), CONFIG) == 0


def on_walls(depths: np.ndarray) -> DeepMatches:
    """What a camera at the origin sees on walls across its axis."""
    pixels = np.random.default_rng(0).uniform([50, 50], [950, 750], (len(depths), 2))
    points = np.column_stack([unproject(PINHOLE, pixels), np.ones(len(depths))]) * depths[:, None]
    return deep(PINHOLE, pixels, points, depths)


def test_depth_says_nothing_in_front_of_a_wall_and_more_where_depths_differ() -> None:
    wall = on_walls(np.full(20, 3.0))
    assert chance_of_depth(wall, Rigid.identity()) == 1.0
    assert counted(wall, oriented(wall, PINHOLE, CONFIG, 0), CONFIG) == 20
    two = on_walls(np.repeat([2.0, 8.0], 5))  # 40 of 90 pairs are on one wall
    assert chance_of_depth(two, Rigid.identity()) == pytest.approx(41 / 91)
    worth = 1 + np.log(41 / 91) / np.log(np.pi * 64 / (1000 * 800))
    assert counted(two, oriented(two, PINHOLE, CONFIG, 0), CONFIG) == pytest.approx(3 + 7 * worth)


def test_depth_makes_a_pose_likelier_only_where_it_agrees_with_the_photo_alone() -> None:
    matches, _, _ = seen(PINHOLE, 60, 0.3, 4)
    found = oriented(matches, PINHOLE, CONFIG, 0)
    assert odds_of_depth(matches, found, CONFIG, 0, "calibrated") == ODDS
    pixels, points, pose, _ = sightings(PINHOLE, 60, 0.3, seed=5)
    depths = pose.apply(points)[:, 2].copy()
    depths[:30] *= 1.5
    half = deep(PINHOLE, pixels, points, depths)
    assert odds_of_depth(half, oriented(half, PINHOLE, CONFIG, 0), CONFIG, 0, "calibrated") == 1.0


def test_evidence_is_that_of_matches_which_agree_in_both() -> None:
    matches, _, wrong = seen(PINHOLE, 100, 0.4, 6)
    found = oriented(matches, PINHOLE, CONFIG, 0)
    evidence = weigh_orientation(matches, IMAGES[:100], found, CONFIG, 0)
    assert evidence.log10_false_alarms < -50 and evidence.rival == 0 and evidence.relative_error < 0.01
    assert 0.4 < evidence.agreement < (~wrong).mean()
