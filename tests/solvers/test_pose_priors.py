"""Poses against what an accelerometer and a satellite say, worked by hand and by draws from known errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.motion import by_motion
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_priors import drawn, of_center, of_up, sigmas_apart

from .world import PINHOLE, sightings

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


def test_a_drawn_pose_is_the_gauss_newton_step_of_pose_and_sensor_together() -> None:
    rng = np.random.default_rng(7)
    root = rng.normal(size=(6, 6)) * [0.05, 0.05, 0.05, 0.3, 0.3, 0.3]
    pose, covariance = random_pose(rng), root.T @ root
    for measured in (
        of_up(pose, UP, Rotation.from_rotvec([0.05, -0.02, 0.03]).as_matrix() @ pose.rotation @ UP, 0.02),
        of_center(pose, pose.center + np.array([0.2, -0.1, 0.3]), 2, 0.1),
    ):
        # residuals: the motion, in standard deviations of the pose, and what is left of the sensor's, in its own
        whitened = np.linalg.inv(np.linalg.cholesky(covariance))
        design = np.vstack([whitened, measured.by_motion / measured.sigma])
        right = np.concatenate([np.zeros(6), measured.residual / measured.sigma])
        step = np.linalg.lstsq(design, right, rcond=None)[0]
        moved, kept = drawn(pose, covariance, measured)
        expected = by_motion(step) @ pose
        np.testing.assert_allclose(moved.rotation, expected.rotation, atol=1e-9)
        np.testing.assert_allclose(moved.translation, expected.translation, atol=1e-9)
        np.testing.assert_allclose(kept, np.linalg.inv(design.T @ design), rtol=1e-6, atol=1e-12)


def test_the_step_ends_where_a_refinement_with_the_sensor_as_a_residual_does() -> None:
    from scipy.optimize import least_squares

    noise_px, sigma, camera = 1.0, np.radians(0.2), PINHOLE
    pixels, points, truth, _ = sightings(camera, 12, noise_px, seed=8)
    felt = Rotation.from_rotvec([0.003, -0.002, 0.001]).as_matrix() @ truth.rotation @ UP

    def off(motion: np.ndarray, start: Rigid) -> np.ndarray:
        pose = by_motion(motion) @ start
        return np.append((project(camera, pose.apply(points)) - pixels).ravel() / noise_px, [])

    def with_sensor(motion: np.ndarray, start: Rigid) -> np.ndarray:
        return np.append(off(motion, start), np.cross((by_motion(motion) @ start).rotation @ UP, felt) / sigma)

    alone = least_squares(off, np.zeros(6), args=(truth,))
    pose = by_motion(alone.x) @ truth
    jacobian = least_squares(off, np.zeros(6), args=(pose,)).jac
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    moved, _ = drawn(pose, covariance, of_up(pose, UP, felt, sigma))
    together = by_motion(least_squares(with_sensor, np.zeros(6), args=(pose,)).x) @ pose
    went = np.linalg.norm(together.center - pose.center)
    assert went > 0.1 * np.sqrt(np.trace(covariance[3:, 3:]))  # the sensor says something
    assert np.linalg.norm(moved.center - together.center) < 0.05 * went
