"""Poses with the depth of their own photo, against exact truth and noise that is drawn."""

import numpy as np
import pytest
from test_pose_covariance import motion
from world import random_pose

from vloc.solvers.depth_pose import Surface, scale_of, with_depth
from vloc.solvers.robust_minimum import exp


def seen(count=200, sigma=0.0, scale=1.0, seed=0, of_points=0.0):
    """Points on slanted planes, as a depth map has them whose depth is off by `sigma` (relative), and the true pose."""
    rng = np.random.default_rng(seed)
    in_cam = np.c_[rng.uniform(-0.5, 0.5, count), rng.uniform(-0.4, 0.4, count), np.ones(count)]
    in_cam *= rng.uniform(2, 6, (count, 1))
    pose = random_pose(rng)
    normals = rng.normal([0, 0, 1], 0.4, (count, 3))
    measured = in_cam * scale * (1 + rng.normal(0, sigma, (count, 1)))
    planes = normals / np.einsum("mi,mi->m", normals, measured)[:, None]
    points = pose.inverse().apply(in_cam) + rng.normal(0, of_points, (count, 3))
    return Surface(points, np.tile(of_points**2 * np.eye(3), (count, 1, 1)), planes), pose


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_the_scale_is_how_much_further_away_the_depth_map_has_things(scale):
    surface, pose = seen(sigma=0.01, scale=scale)
    assert scale_of(surface, pose) == pytest.approx(scale, rel=5e-3)


def test_derivatives_are_those_of_small_motions():
    surface, pose = seen()
    _, by_motion = surface.linearised(pose)
    step = 1e-6
    for k in range(6):
        change = np.zeros(6)
        change[k] = step
        moved = surface.linearised(exp(change) @ pose)[0]
        np.testing.assert_allclose(moved / step, by_motion[:, k], atol=1e-4)
    larger = Surface(surface.points, surface.covariances, surface.planes / np.exp(step))
    np.testing.assert_allclose(larger.linearised(pose)[0] / step, by_motion[:, 6], atol=1e-4)


def test_a_pose_that_is_off_is_drawn_to_where_depth_has_it():
    surface, truth = seen(sigma=1e-4)
    off = exp(np.array([0.002, -0.001, 0.003, 0.01, -0.02, 0.03])) @ truth
    found, covariance = with_depth(surface, off, np.diag([0.01**2] * 3 + [0.05**2] * 3), 1e-5)
    assert np.abs(motion(found, truth)).max() < 5e-4
    assert np.all(np.diag(covariance) < 1e-5)


def test_wrong_depth_of_some_matches_draws_nothing():
    surface, truth = seen(sigma=0.003)
    wrong = surface.planes.copy()
    wrong[::5] *= 0.7
    found, _ = with_depth(Surface(surface.points, surface.covariances, wrong), truth, np.eye(6) * 0.01**2, 1e-4)
    assert np.abs(motion(found, truth)).max() < 5e-3


def test_a_scale_that_is_off_is_told_from_a_pose_that_is():
    """Depth that is 2 % too long all over: with that allowed for, the pose stays."""
    surface, truth = seen(sigma=0.002, scale=1.02)
    trusted, _ = with_depth(surface, truth, np.eye(6) * 0.02**2, 1e-4)
    doubted, _ = with_depth(surface, truth, np.eye(6) * 0.02**2, 0.02)
    assert np.abs(motion(doubted, truth)).max() < 0.3 * np.abs(motion(trusted, truth)).max()


def test_covariances_are_those_of_the_errors():
    squares = []
    for seed in range(60):
        surface, truth = seen(100, sigma=0.01, seed=seed, of_points=0.01)
        rng = np.random.default_rng(1000 + seed)
        prior = np.array([0.003] * 3 + [0.02] * 3)
        off = exp(rng.normal(0, prior)) @ truth
        found, covariance = with_depth(surface, off, np.diag(prior**2), 1e-6)
        error = motion(truth, found)
        squares.append(error @ np.linalg.inv(covariance) @ error)
    assert 0.7 < np.median(squares) / 5.35 < 1.5  # the median of chi^2 with six
