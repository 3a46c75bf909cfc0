"""Chains of poses, against scipy's dense least squares and cases worked by hand."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from vloc.geometry.motion import by_motion, motion_of
from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_graph import PoseChain, optimised
from vloc.solvers.rig_consensus import Belief


def at(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([-x, 0.0, 0.0]))


def random_chain(seed: int, count: int = 6) -> tuple[PoseChain, Rigid]:
    """Noisy photos at some rows, noisy steps between all, and poses near the truth."""
    rng = np.random.default_rng(seed)
    truth = [by_motion(rng.normal(size=6))]
    for _ in range(count - 1):
        truth.append(by_motion(0.3 * rng.normal(size=6)) @ truth[-1])
    poses = Rigid.stack(truth)

    def spread() -> np.ndarray:
        root = rng.normal(size=(6, 6))
        return 1e-4 * (root @ root.T + np.eye(6))

    photos = {row: Belief(by_motion(0.01 * rng.normal(size=6)) @ truth[row], spread(), 0.9) for row in (0, 3)}
    steps = by_motion(0.01 * rng.normal(size=(count - 1, 6))) @ (poses[1:] @ poses[:-1].inverse())
    information = np.stack([np.linalg.inv(spread()) for _ in range(count - 1)])
    return PoseChain(photos, steps, information), by_motion(0.02 * rng.normal(size=(count, 6))) @ poses


def residuals(motions: np.ndarray, chain: PoseChain, around: Rigid) -> np.ndarray:
    """Whitened, of every photo and step."""
    poses = by_motion(motions.reshape(-1, 6)) @ around
    found = [
        np.linalg.cholesky(np.linalg.inv(belief.covariance + 1e-12 * np.eye(6))).T
        @ motion_of(poses[row] @ belief.rig_from_world.inverse())
        for row, belief in chain.photos.items()
    ]
    off = motion_of(poses[1:] @ poses[:-1].inverse() @ chain.steps.inverse())
    found += [np.linalg.cholesky(one).T @ part for one, part in zip(chain.information, off, strict=True)]
    return np.concatenate(found)


@pytest.mark.parametrize("seed", range(3))
def test_poses_and_covariances_are_those_of_dense_least_squares(seed: int) -> None:
    chain, start = random_chain(seed)
    poses, covariances = optimised(chain, start)
    dense = least_squares(residuals, np.zeros(6 * len(poses)), args=(chain, poses), xtol=1e-14, ftol=1e-14)
    expected = np.linalg.inv(dense.jac.T @ dense.jac)
    for row in range(len(poses)):
        own = slice(6 * row, 6 * row + 6)
        sigma = np.sqrt(np.diag(expected[own, own]))
        assert np.abs(dense.x[own] / sigma).max() < 0.1  # a tenth of a standard deviation: steps' curvature is left out
        np.testing.assert_allclose(np.sqrt(np.diag(covariances[row])), sigma, rtol=0.03)


def test_between_two_photos_the_steps_share_what_does_not_close() -> None:
    chain = PoseChain(
        {0: Belief(at(0.0), 1e-10 * np.eye(6), 0.9), 2: Belief(at(2.2), 1e-10 * np.eye(6), 0.9)},
        Rigid.stack([at(1.0), at(1.0)]),
        np.stack([1e4 * np.eye(6)] * 2),
    )
    poses, covariances = optimised(chain, Rigid.stack([at(0.0), at(1.0), at(2.0)]))
    assert poses[1].center[0] == pytest.approx(1.1)
    assert covariances[1][3, 3] == pytest.approx(1e-4 / 2, rel=1e-3)


def test_beyond_a_photo_each_step_adds_its_variance() -> None:
    chain = PoseChain(
        {0: Belief(at(0.0), 1e-8 * np.eye(6), 0.9)}, Rigid.stack([at(1.0)] * 3), np.stack([1e4 * np.eye(6)] * 3)
    )
    poses, covariances = optimised(chain, Rigid.stack([at(0.0)] * 4))
    np.testing.assert_allclose(poses.center[:, 0], [0, 1, 2, 3], atol=1e-9)
    np.testing.assert_allclose(covariances[:, 3, 3], [1e-8, 1e-4, 2e-4, 3e-4], rtol=1e-3)


def test_a_pose_that_nothing_connects_with_is_open() -> None:
    chain = PoseChain({0: Belief(at(0.0), 1e-8 * np.eye(6), 0.9)}, Rigid.stack([at(1.0)]), np.zeros((1, 6, 6)))
    _, covariances = optimised(chain, Rigid.stack([at(0.0), at(1.0)]))
    assert covariances[1][3, 3] > 1e6
