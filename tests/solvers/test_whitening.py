"""Residuals of points that are not equally sure, made equally good."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV, PINHOLE, sightings

from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_refinement import refine_pose
from vloc.solvers.whitening import Whitening, whitening

AHEAD, ASIDE = [0.0, 0.0, 4.0], [2.0, 0.0, 4.0]
DEPTH = np.diag([0.0, 0.0, 0.04])
"""20 cm along the view"""


def test_depth_moves_only_what_is_off_the_axis():
    """At (2, 0, 4) and f = 900 px, depth moves the pixel by 900 * 2 / 16 = 112.5 px a metre, sideways: 22.5 px."""
    noise_px = 30.0
    first, second = whitening(PINHOLE, Rigid.identity(), np.array([AHEAD, ASIDE]), np.array([DEPTH, DEPTH]), noise_px)
    assert first[0, 1] == second[0, 1] == 0
    assert first[0, 0] == pytest.approx(first[1, 1])
    assert second[0, 0] / first[0, 0] == pytest.approx(30 / np.hypot(30, 22.5))
    assert second[1, 1] == pytest.approx(first[1, 1])


def test_the_usual_residual_keeps_its_size():
    points = np.array([AHEAD, ASIDE, ASIDE])
    matrices = whitening(PINHOLE, Rigid.identity(), points, np.array([DEPTH, DEPTH, DEPTH]), 0.5)
    assert np.median(np.linalg.det(matrices)) == pytest.approx(1)
    exact = whitening(PINHOLE, Rigid.identity(), points, np.zeros((3, 3, 3)), 0.5)
    assert exact == pytest.approx(np.broadcast_to(np.eye(2), (3, 2, 2)))


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
def test_whitened_residuals_of_points_drawn_from_their_covariance_are_alike(camera):
    rng = np.random.default_rng(0)
    pixels, points, pose, _ = sightings(camera, 5)
    shapes = rng.normal(0, 0.003, (5, 3, 3)) * rng.uniform(0.3, 3, (5, 1, 1))
    matrices = whitening(camera, pose, points, shapes @ shapes.transpose(0, 2, 1), 0.5)
    drawn = points[:, None] + (shapes[:, None] @ rng.normal(0, 1, (5, 4000, 3, 1)))[..., 0]
    seen = project(camera, pose.apply(drawn.reshape(-1, 3))).reshape(5, 4000, 2)
    residuals = (seen + rng.normal(0, 0.5, seen.shape) - pixels[:, None]) @ matrices.transpose(0, 2, 1)
    spread = [np.cov(rows.T) for rows in residuals]
    usual = np.trace(np.mean(spread, axis=0)) / 2
    assert np.allclose(spread / usual, np.eye(2), atol=0.12)


def test_a_pose_from_uneven_points_is_better_when_they_are_weighed():
    """Half of the points are unsure by 3 cm along one direction, the others exact; keypoints have 0.3 px."""
    rng = np.random.default_rng(1)
    exact, points, truth, _ = sightings(PINHOLE, 200)
    shapes = np.zeros((200, 3, 3))
    shapes[::2, :, 0] = 0.03 * Rotation.random(100, random_state=0).as_matrix()[:, :, 0]
    covariances = shapes @ shapes.transpose(0, 2, 1)
    errors = []
    for _ in range(20):
        pixels = exact + rng.normal(0, 0.3, exact.shape)
        moved = points + (shapes @ rng.normal(0, 1, (200, 3, 1)))[..., 0]
        weighed = Whitening(whitening(PINHOLE, truth, moved, covariances, 0.3))
        found = [refine_pose(pixels, moved, PINHOLE, truth, 2.0, (), None, w) for w in (None, weighed)]
        errors.append([pose_errors(refined.cam_from_world, truth)[0] for refined in found])
    plain, weighed = np.sqrt(np.mean(np.square(errors), axis=0))
    assert weighed < 0.8 * plain


def test_residuals_count_less_the_longer_they_are_and_nothing_beyond_reach():
    matrices = np.stack([np.diag([2.0, 1.0])] * 4)
    residuals = np.array([[0.0, 0.6, 1.2, 3.0], [0.0, 0.8, 1.6, 4.0]])  # 0, 1, 2 and 5 px
    of_all = Whitening(matrices, 2.0)
    assert of_all.of(residuals)[:, 0, 0] == pytest.approx([2, 2 * 0.75, 0, 0])
    assert of_all[np.array([False, True, False, False])].of(residuals[:, 1:2]) == pytest.approx(0.75 * matrices[:1])
    assert np.array_equal(Whitening(matrices).of(residuals), matrices)


def test_matches_beyond_reach_do_not_move_a_pose_and_others_find_it_from_wherever_it_began():
    rng = np.random.default_rng(3)
    pixels, points, truth, _ = sightings(PINHOLE, 200)
    pixels = pixels + rng.normal(0, 0.3, pixels.shape)
    pixels[::4] += [4.0, 0]  # a quarter is off to one side
    plain = np.broadcast_to(np.eye(2), (200, 2, 2))
    starts = [Rigid(np.eye(3), np.array(off)) @ truth for off in ([0.002, 0, 0], [0, -0.002, 0.002])]
    found = [[refine_pose(pixels, points, PINHOLE, start, 10.0, (), None, w).cam_from_world for start in starts]
             for w in (None, Whitening(plain, 2.5))]  # fmt: skip
    errors = [max(pose_errors(pose, truth)[0] for pose in poses) for poses in found]
    assert errors[1] < 0.5 * errors[0]
    assert pose_errors(*found[1])[0] < 1e-5
