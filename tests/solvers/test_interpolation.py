"""Poses between others, and how far off they may be: against motions whose statistics are known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from vloc.geometry.motion import motion_of
from vloc.geometry.rigid import Rigid
from vloc.solvers.interpolation import Track, pose_at, probability_within, stray
from vloc.solvers.rig_consensus import Belief

SURE = 1e-10 * np.eye(6)


def pose(center: np.ndarray, turn: np.ndarray) -> Rigid:
    rotation = Rotation.from_rotvec(turn).as_matrix()
    return Rigid(rotation, -rotation @ center)


def straying(seed: int, count: int) -> list[Rigid]:
    """Poses of a body at times 0, 1, ... whose acceleration, and that of its small turns, is white noise."""
    steps = np.random.default_rng(seed).normal(size=(count, 6))
    places = np.cumsum(np.cumsum(steps, axis=0), axis=0)
    return [pose(place[:3], 1e-3 * place[3:]) for place in places]


def track_of(poses: list[Rigid], rows: np.ndarray | list[int], confidence: float = 0.9) -> Track:
    return Track(np.array(rows, np.int64), [Belief(poses[row], SURE, confidence) for row in rows])


def test_a_steady_motion_is_continued_exactly_between_its_poses() -> None:
    poses = [pose(np.array([2.0 * i, 0, 1]), np.array([0, 0, 0.1 * i])) for i in range(9)]
    found = pose_at(track_of(poses, [0, 1, 2, 4, 7, 8]), 5, 100)
    np.testing.assert_allclose(motion_of(poses[5] @ found.rig_from_world.inverse()), 0, atol=1e-12)
    assert np.abs(found.covariance).max() < 1e-9


def test_time_counts_and_not_the_number_of_images() -> None:
    poses = [pose(np.array([float(i), 0, 0]), np.zeros(3)) for i in range(8)]
    np.testing.assert_allclose(pose_at(track_of(poses, [0, 1, 7]), 4, 100).rig_from_world.center, [4, 0, 0])


@pytest.mark.parametrize("gap", [1, 3])
def test_95_of_100_errors_are_within_the_95_percent_ellipsoid(gap: int) -> None:
    inside = []
    for seed in range(25):
        poses = straying(seed, 60)
        missing = {start + i for start in range(5, 55, 10) for i in range(gap)}
        track = track_of(poses, [i for i in range(60) if i not in missing])
        for row in sorted(missing):
            found = pose_at(track, row, 100)
            error = motion_of(poses[row] @ found.rig_from_world.inverse())
            inside.append(error @ np.linalg.solve(found.covariance, error) <= chi2.ppf(0.95, 6))
    assert 0.92 <= np.mean(inside) <= 0.98


def test_a_pose_is_less_sure_the_farther_its_neighbours_are() -> None:
    track = track_of(straying(0, 80), [i for i in range(80) if not 30 <= i < 50])
    traces = [np.trace(pose_at(track, time, 100).covariance) for time in (30, 32, 35, 39)]
    assert np.all(np.diff(traces) > 0)


def test_what_a_body_strays_follows_the_bending_of_a_beam() -> None:
    track = track_of(straying(0, 2000), list(range(2000)))
    near, far = (np.sqrt(np.trace(stray(track, a, a)[3:, 3:]) / 3) for a in (2, 8))
    assert near == pytest.approx(np.sqrt((2 * 2) ** 2 / (3 * 4)), rel=0.25)  # q a^2 b^2 / (3 (a + b)), q = 1
    assert far / near == pytest.approx(8, rel=0.25)  # as T^(3/2)


def test_at_the_ends_the_nearest_pose_is_held_and_is_off_by_how_fast_the_body_is() -> None:
    poses = [pose(np.array([0.5 * i, 0, 0]), np.zeros(3)) for i in range(20)]
    found = pose_at(track_of(poses, list(range(10))), 12, 5)
    np.testing.assert_allclose(found.rig_from_world.center, [4.5, 0, 0])
    assert np.sqrt(found.covariance[3, 3]) == pytest.approx(1.5, rel=0.3)


def test_what_was_not_known_yet_says_nothing() -> None:
    poses = straying(1, 30)
    whole, past = track_of(poses, [*range(10), *range(12, 30)]), track_of(poses, list(range(10)))
    known, expected = pose_at(whole.until(11), 11, 100), pose_at(past, 11, 100)
    assert np.array_equal(known.covariance, expected.covariance)
    assert np.array_equal(known.rig_from_world.translation, poses[9].translation)


@pytest.mark.parametrize(("rows", "time"), [([0, 1, 2], 13), ([0], 1), ([], 1)])
def test_nothing_near_or_a_single_pose_gives_none(rows: list[int], time: int) -> None:
    assert pose_at(track_of(straying(0, 3), rows), time, 10) is None


def test_a_pose_of_that_very_time_stays() -> None:
    poses = straying(0, 5)
    found = pose_at(track_of(poses, [0, 1, 4], 0.7), 1, 10)
    assert np.array_equal(found.rig_from_world.translation, poses[1].translation)
    assert np.array_equal(found.covariance, SURE) and found.confidence == 0.7


def test_the_one_that_is_believed_less_decides() -> None:
    first, last = Belief(pose(np.zeros(3), np.zeros(3)), SURE, 0.95), Belief(pose(np.ones(3), np.zeros(3)), SURE, 0.6)
    assert pose_at(Track(np.array([0, 2]), [first, last]), 1, 10).confidence == 0.6


def test_the_probability_to_be_near_is_that_of_the_chi_distribution() -> None:
    covariance = np.diag([1e-12] * 3 + [0.04] * 3)
    assert probability_within(covariance, 0.3, 0.1) == pytest.approx(chi2.cdf(2.25, 3), abs=1e-6)
    assert probability_within(np.zeros((6, 6)), 0.3, 0.1) == 1.0
