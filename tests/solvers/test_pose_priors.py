"""Poses against what an accelerometer and a satellite say, worked by hand and by draws from known errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.motion import by_motion
from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_priors import drawn, of_center, of_up, sigmas_apart

UP = np.array([0.0, 0.0, 1.0])


def random_pose(rng: np.random.Generator) -> Rigid:
    return Rigid(Rotation.random(random_state=rng).as_matrix(), rng.normal(size=3))


def test_the_residual_is_the_turn_that_would_agree() -> None:
    rng = np.random.default_rng(0)
    pose = random_pose(rng)
    tilt = 0.3 * np.cross(pose.rotation @ UP, rng.normal(size=3))  # about a level axis
    felt = Rotation.from_rotvec(tilt).as_matrix() @ pose.rotation @ UP
    found = of_up(pose, UP, felt, 0.01)
    np.testing.assert_allclose(found.by_motion[:, :3].T @ found.residual, tilt, atol=1e-12)


def test_turning_about_the_vertical_is_nothing_that_gravity_says() -> None:
    pose = random_pose(np.random.default_rng(1))
    found = of_up(pose, UP, pose.rotation @ UP, 0.01)
    np.testing.assert_allclose(found.by_motion[:, :3] @ (pose.rotation @ UP), 0, atol=1e-12)
    np.testing.assert_allclose(found.residual, 0, atol=1e-7)


def test_upside_down_is_half_a_turn_off() -> None:
    pose = random_pose(np.random.default_rng(2))
    assert np.linalg.norm(of_up(pose, UP, -pose.rotation @ UP, 0.01).residual) == pytest.approx(np.pi)


def test_a_position_moves_the_centre_and_leaves_the_rotation() -> None:
    pose = random_pose(np.random.default_rng(3))
    target = pose.center + np.array([0.1, -0.2, 0.3])
    # a pose whose centre is far less sure than the satellite, and its rotation sure
    moved, covariance = drawn(pose, np.diag([1e-12] * 3 + [1e4] * 3), of_center(pose, target, 3, 0.01))
    np.testing.assert_allclose(moved.center, target, atol=1e-6)
    np.testing.assert_allclose(moved.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(covariance[3:, 3:], 1e-4 * np.eye(3), atol=1e-8)


def test_a_height_that_does_not_count_moves_nothing_up_or_down() -> None:
    pose = random_pose(np.random.default_rng(4))
    target = pose.center + np.array([1, 2, 50])
    moved, _ = drawn(pose, np.diag([1e-12] * 3 + [1e4] * 3), of_center(pose, target, 2, 0.01))
    np.testing.assert_allclose(moved.center - pose.center, [1, 2, 0], atol=1e-3)


def test_a_sensor_that_is_less_sure_by_far_moves_nothing() -> None:
    pose = random_pose(np.random.default_rng(5))
    covariance = np.diag([1e-10] * 3 + [1e-8] * 3)
    moved, kept = drawn(pose, covariance, of_center(pose, pose.center + 3.0, 3, 5.0))
    assert np.linalg.norm(moved.center - pose.center) < 1e-7
    np.testing.assert_allclose(kept, covariance, rtol=1e-6, atol=1e-16)


@pytest.mark.parametrize(("offset", "sigmas"), [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)])
def test_one_number_is_as_many_sigmas_off_as_it_is(offset: float, sigmas: float) -> None:
    pose = Rigid.identity()
    measured = of_center(pose, np.array([offset, 0, 0]), 1, np.sqrt(0.75))
    assert sigmas_apart(measured, 0.25 * np.eye(6)) == pytest.approx(sigmas)


def test_right_poses_are_as_rarely_far_off_as_sigmas_say_and_errors_shrink() -> None:
    rng = np.random.default_rng(6)
    covariance, sigma = np.diag([0.1, 0.02, 0.05, 0.3, 0.2, 0.1]) ** 2, 0.03
    apart, before, after, inside = [], [], [], []
    for _ in range(400):
        truth = random_pose(rng)
        pose = by_motion(rng.multivariate_normal(np.zeros(6), covariance)) @ truth
        tilt = Rotation.from_rotvec(rng.normal(scale=sigma, size=3)).as_matrix()
        measured = of_up(pose, UP, tilt @ truth.rotation @ UP, sigma)
        apart.append(sigmas_apart(measured, covariance))
        moved, kept = drawn(pose, covariance, measured)
        errors = [Rotation.from_matrix(p.rotation @ truth.rotation.T).as_rotvec() for p in (pose, moved)]
        before.append(np.linalg.norm(errors[0]))
        after.append(np.linalg.norm(errors[1]))
        inside.append(errors[1] @ np.linalg.solve(kept[:3, :3], errors[1]) < 7.815)  # 95 % of chi2, 3 degrees
    assert np.mean(np.array(apart) < 1) == pytest.approx(0.683, abs=0.07)
    assert np.mean(np.array(apart) > 3) < 0.015
    assert np.mean(after) < 0.8 * np.mean(before) and np.mean(inside) > 0.92
