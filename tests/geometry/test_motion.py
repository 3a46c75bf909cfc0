"""Small motions and poses between two, against scipy's slerp and cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from vloc.geometry.motion import between, by_motion, motion_of
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid

QUARTER = Rotation.from_euler("z", 90, degrees=True).as_matrix()


def at(center: list[float], rotation: np.ndarray) -> Rigid:
    return Rigid(rotation, -rotation @ np.array(center))


def test_half_way_through_a_quarter_turn_worked_by_hand() -> None:
    found = between(at([0, 0, 0], np.eye(3)), at([2, 4, 0], QUARTER), 0.5)
    np.testing.assert_allclose(found.center, [1, 2, 0], atol=1e-12)
    np.testing.assert_allclose(Rotation.from_matrix(found.rotation).as_euler("xyz", degrees=True), [0, 0, 45])


def test_a_body_that_turns_keeps_to_the_straight_line() -> None:
    ends = at([1, 0, 0], np.eye(3)), at([3, 0, 0], QUARTER)
    places = [between(*ends, share).center for share in np.linspace(0, 1, 5)]
    np.testing.assert_allclose(places, [[1, 0, 0], [1.5, 0, 0], [2, 0, 0], [2.5, 0, 0], [3, 0, 0]], atol=1e-12)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_rotation_is_that_of_scipys_slerp(seed: int, share: float) -> None:
    turns = Rotation.random(2, random_state=seed)
    found = between(*(Rigid(turn.as_matrix(), np.zeros(3)) for turn in turns), share)
    expected = Slerp([0, 1], turns)(share).as_matrix()
    assert (Rotation.from_matrix(found.rotation) * Rotation.from_matrix(expected).inv()).magnitude() < 1e-9


def test_batches_are_taken_pose_by_pose_and_ends_stay() -> None:
    first, last = by_motion(np.arange(12.0).reshape(2, 6) / 9), by_motion(-np.arange(12.0).reshape(2, 6) / 7)
    found = between(first, last, np.array([0.0, 1.0]))
    assert max(pose_errors(found[0], first[0])) < 1e-12 and max(pose_errors(found[1], last[1])) < 1e-12


@pytest.mark.parametrize("shape", [(), (4,)])
def test_motions_round_trip(shape: tuple[int, ...]) -> None:
    motions = np.random.default_rng(0).normal(size=(*shape, 6)) / 2
    np.testing.assert_allclose(motion_of(by_motion(motions)), motions, atol=1e-12)
