"""One pose of a rig from several: their weighted mean where they agree, the side that is believed more where not."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.rig_consensus import Belief, consensus, mean

SURE = np.diag([1e-6] * 6)


def shifted(x: float, confidence: float = 0.9, sigma: float = 1e-3) -> Belief:
    return Belief(Rigid(np.eye(3), np.array([x, 0.0, 0.0])), sigma**2 * np.eye(6), confidence)


def test_equally_sure_poses_have_their_mean() -> None:
    found = mean([shifted(0.0), shifted(0.002)], Rigid.identity())
    np.testing.assert_allclose(found.rig_from_world.translation, [0.001, 0, 0], atol=1e-9)
    np.testing.assert_allclose(np.diag(found.covariance), 1e-6 / 2, rtol=1e-3)


def test_poses_that_differ_by_more_than_they_allow_make_their_mean_less_sure() -> None:
    found = mean([shifted(0.0), shifted(0.02)], Rigid.identity())
    np.testing.assert_allclose(found.rig_from_world.translation, [0.01, 0, 0], atol=1e-9)
    np.testing.assert_allclose(np.diag(found.covariance), 1e-6 / 2 * 200 / 6, rtol=1e-3)  # chi square of 6 numbers


def test_a_surer_pose_counts_by_its_inverse_variance() -> None:
    found = mean([shifted(0.0, sigma=1e-3), shifted(0.1, sigma=3e-3)], Rigid.identity())
    np.testing.assert_allclose(found.rig_from_world.translation, [0.01, 0, 0], rtol=1e-4, atol=1e-9)


def test_rotations_are_averaged_about_the_pose_they_are_near() -> None:
    turns = [Rotation.from_rotvec([0, 0, 1 + angle]).as_matrix() for angle in (-0.01, 0.01)]
    beliefs = [Belief(Rigid(turn, np.array([5.0, 0, 0])), SURE, 0.9) for turn in turns]
    found = mean(beliefs, beliefs[0].rig_from_world)
    np.testing.assert_allclose(Rotation.from_matrix(found.rig_from_world.rotation).as_rotvec(), [0, 0, 1], atol=1e-6)


def test_two_that_agree_outvote_a_third() -> None:
    found, voters = consensus([shifted(3.0, 0.99), shifted(0.0, 0.7), shifted(0.01, 0.7)], 0.25, 2.0)
    assert voters == [1, 2] and found.confidence == 0.7
    np.testing.assert_allclose(found.rig_from_world.translation, [0.005, 0, 0], atol=1e-9)


@pytest.mark.parametrize("first", [0.8, 0.95])
def test_of_two_that_disagree_the_more_believed_one_counts(first: float) -> None:
    found, voters = consensus([shifted(3.0, first), shifted(0.0, 0.9)], 0.25, 2.0)
    assert voters == ([0] if first > 0.9 else [1]) and found.confidence == max(first, 0.9)


def test_poses_agree_within_both_limits_only() -> None:
    turned = Belief(Rigid(Rotation.from_rotvec([0, np.radians(3), 0]).as_matrix(), np.zeros(3)), SURE, 0.9)
    assert shifted(0.0).agrees(shifted(0.2), 0.25, 2.0) and not shifted(0.0).agrees(shifted(0.3), 0.25, 2.0)
    assert not shifted(0.0).agrees(turned, 0.25, 2.0) and shifted(0.0).agrees(turned, 0.25, 4.0)


def test_a_belief_seen_from_a_sensor_has_its_pose_and_the_errors_that_it_makes_there() -> None:
    mount = Rigid(Rotation.from_rotvec([0.3, -0.8, 0.4]).as_matrix(), np.array([0.5, -1.0, 2.0]))
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(6, 6)) * 1e-3
    belief = Belief(Rigid(Rotation.from_rotvec([1, 0, 0.5]).as_matrix(), np.array([3.0, 1, 2])), spread @ spread.T, 0.9)
    seen = belief.seen_from(mount)
    assert max(pose_errors(seen.rig_from_world, mount @ belief.rig_from_world)) < 1e-9
    drawn = rng.multivariate_normal(np.zeros(6), belief.covariance, 20_000)
    small = [Rigid(Rotation.from_rotvec(step[:3]).as_matrix(), step[3:]) for step in drawn[:4000]]
    moved = [mount @ step @ belief.rig_from_world @ seen.rig_from_world.inverse() for step in small]
    errors = np.array([np.append(Rotation.from_matrix(m.rotation).as_rotvec(), m.translation) for m in moved])
    np.testing.assert_allclose(np.cov(errors.T), seen.covariance, atol=0.1 * seen.covariance.max())
    assert max(pose_errors(seen.seen_from(mount.inverse()).rig_from_world, belief.rig_from_world)) < 1e-9
