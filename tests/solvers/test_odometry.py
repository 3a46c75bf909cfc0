"""Odometry that drifts and poses of photos of which some are wrong, from motions with exact truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from vloc.geometry.motion import by_motion, motion_of
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.interpolation import Track
from vloc.solvers.odometry import Odometry, corrected, noise_of
from vloc.solvers.rig_consensus import Belief

COUNT = 60
TURN, PLACE = 0.002, 0.01
"""radians and metres, of each number of each step"""
TIMES = 10 * np.arange(COUNT)


def drive(seed: int) -> tuple[Rigid, Rigid]:
    """True poses of a winding way at 0.4 m a step, and what odometry says of them, from elsewhere."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(0.1 * rng.normal(size=COUNT))
    centers = np.cumsum(0.4 * np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=1), axis=0)
    turns = Rotation.from_rotvec(np.outer(-heading, [0, 0, 1])).as_matrix()
    truth = Rigid(turns, -np.einsum("nij,nj->ni", turns, centers))
    noise = by_motion(np.hstack([TURN * rng.normal(size=(COUNT - 1, 3)), PLACE * rng.normal(size=(COUNT - 1, 3))]))
    found = [by_motion(rng.normal(size=6))]
    for i in range(COUNT - 1):
        found.append(noise[i] @ truth[i + 1] @ truth[i].inverse() @ found[-1])
    return truth, Rigid.stack(found)


def seen(truth: Rigid, rows: list[int], wrong: tuple[int, ...] = (), seed: int = 0) -> Track:
    """What photos say, to a millimetre; of some, something else."""
    rng = np.random.default_rng(seed)
    beliefs = {row: Belief(by_motion(1e-3 * rng.normal(size=6)) @ truth[row], 1e-6 * np.eye(6), 0.9) for row in rows}
    for row in wrong:
        beliefs[row] = replace(beliefs[row], rig_from_world=by_motion(3 * rng.normal(size=6)) @ truth[row])
    return Track(TIMES[rows], list(beliefs.values()))


def test_how_far_odometry_is_off_is_seen_from_the_poses_of_photos() -> None:
    found = []
    for seed in range(10):
        truth, odometry = drive(seed)
        found.append(noise_of(seen(truth, list(range(COUNT))), odometry))
    assert np.median([np.sqrt(10 * n.place) for n in found]) == pytest.approx(PLACE, rel=0.15)
    assert np.median([np.sqrt(10 * n.turn) for n in found]) == pytest.approx(TURN, rel=0.15)
    assert [n.scale for n in found] == [1.0] * 10


def test_poses_that_are_missing_are_found_with_honest_covariances() -> None:
    distances = []
    for seed in range(8):
        truth, odometry = drive(seed)
        rows = [i for i in range(COUNT) if not (10 <= i < 15 or 30 <= i < 40 or i > 55)]
        found = corrected(seen(truth, rows), Odometry(TIMES, odometry), TIMES)
        off = [motion_of(truth[i] @ found[i].rig_from_world.inverse()) for i in range(COUNT)]
        distances += [off[i] @ np.linalg.solve(found[i].covariance, off[i]) for i in range(COUNT) if i not in rows]
        assert max(np.linalg.norm(off[i][3:]) for i in range(COUNT)) < 0.1
    assert 0.9 <= np.mean(np.array(distances) < chi2.ppf(0.95, 6)) <= 0.99


@pytest.mark.parametrize("wrong", [(20,), (0,), (COUNT - 1,), (7, 8, 31, 50)])
def test_wrong_poses_do_not_count_and_are_corrected(wrong: tuple[int, ...]) -> None:
    truth, odometry = drive(3)
    found = corrected(seen(truth, list(range(COUNT)), wrong), Odometry(TIMES, odometry), TIMES)
    errors = [pose_errors(found[i].rig_from_world, truth[i])[0] for i in range(COUNT)]
    assert max(errors) < 0.06 and np.median(errors) < 0.003


def test_an_odometry_in_other_units_is_scaled() -> None:
    truth, odometry = drive(4)
    rows = [i for i in range(COUNT) if not 20 <= i < 30]
    small = Rigid(odometry.rotation, odometry.translation / 7)
    found = corrected(seen(truth, rows), Odometry(TIMES, small), TIMES)
    assert noise_of(seen(truth, list(range(COUNT))), small).scale == pytest.approx(7, rel=0.02)
    assert max(pose_errors(found[i].rig_from_world, truth[i])[0] for i in range(COUNT)) < 0.15


def test_where_the_odometry_slipped_both_sides_stay_and_what_is_between_is_open() -> None:
    truth, odometry = drive(5)
    slip = by_motion(np.array([0, 0, 0, 5.0, 0, 0]))
    slipped = [odometry[i] if i < 30 else odometry[i] @ slip for i in range(COUNT)]
    rows = [i for i in range(COUNT) if i not in (29, 30)]
    found = corrected(seen(truth, rows), Odometry(TIMES, Rigid.stack(slipped)), TIMES)
    assert max(pose_errors(found[i].rig_from_world, truth[i])[0] for i in rows) < 0.02
    assert min(found[i].covariance[3, 3] for i in (29, 30)) > 100


def test_times_between_those_of_the_odometry_are_interpolated() -> None:
    _, odometry = drive(6)
    found = Odometry(TIMES, odometry).at(np.array([-5, 0, 15, 10 * COUNT]))
    ends = odometry[[0, 0, -1]]
    np.testing.assert_allclose(found[[0, 1, 3]].translation, ends.translation, atol=1e-9)
    np.testing.assert_allclose(found[2].center, (odometry[1].center + odometry[2].center) / 2, atol=1e-9)


def test_too_few_poses_do_not_say_how_far_it_is_off() -> None:
    truth, odometry = drive(7)
    assert corrected(seen(truth, [1, 5, 9]), Odometry(TIMES, odometry), TIMES) is None
