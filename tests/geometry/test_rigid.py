"""Rigid transforms: identity, a case by hand, round trips, and properties of random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from vloc.geometry.rigid import Rigid

numbers = st.floats(-100, 100)
quaternions = arrays(float, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1)
rigids = st.builds(Rigid.from_quat_wxyz, quaternions, arrays(float, 3, elements=numbers))
points = arrays(float, (4, 3), elements=numbers)


def test_identity_moves_nothing():
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(Rigid.identity().apply(x), x)
    assert np.array_equal(Rigid.identity(2).center, np.zeros((2, 3)))


def test_quaternion_wxyz_of_a_quarter_turn_about_z_worked_by_hand():
    turn = Rigid.from_quat_wxyz(np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)]), np.array([1.0, 0, 0]))
    assert np.allclose(turn.apply(np.array([[1.0, 0, 0]])), [[1, 1, 0]])  # x turns to y, then moves by x
    assert np.allclose(turn.center, [0, 1, 0])


def test_a_zero_quaternion_is_refused():
    with pytest.raises(ValueError, match="zero norm"):
        Rigid.from_quat_wxyz(np.zeros(4), np.zeros(3))


def test_quaternions_come_back_with_unit_norm_and_positive_scalar():
    pose = Rigid.from_quat_wxyz(np.array([[-2.0, 0, 0, 0], [0, 0, 3.4, 0]]), np.zeros((2, 3)))
    assert np.allclose(pose.quat_wxyz, [[1, 0, 0, 0], [0, 0, 1, 0]])


@given(rigids)
def test_quaternions_are_those_of_scipy(a):
    expected = Rotation.from_matrix(a.rotation).as_quat(scalar_first=True, canonical=True)
    assert np.allclose(a.quat_wxyz, expected, atol=1e-12) or np.allclose(a.quat_wxyz, -expected, atol=1e-12)


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.6, -0.8]])
def test_half_turns_have_no_scalar_and_a_positive_leading_part(axis):
    turn = Rigid(2 * np.outer(axis, axis) - np.eye(3), np.zeros(3))
    assert np.allclose(turn.quat_wxyz, [0, *axis], atol=1e-15)


def test_empty_batches_keep_their_shapes():
    empty = Rigid.stack([])
    assert len(empty) == 0 and empty.quat_wxyz.shape == (0, 4) and empty.inverse().center.shape == (0, 3)
    assert len(Rigid.from_quat_wxyz(np.zeros((0, 4)), np.zeros((0, 3)))) == 0


def test_one_transform_composes_with_every_one_of_a_batch():
    one = Rigid.from_quat_wxyz(np.array([0.5, 0.5, 0.5, 0.5]), np.array([1.0, 2, 3]))
    batch = Rigid.stack([one, one.inverse()])
    both = one @ batch
    assert np.allclose(both[0].rotation, (one @ one).rotation) and np.allclose(both[1].translation, 0)


@given(rigids, rigids, points)
def test_composition_is_one_after_the_other(a, b, x):
    assert np.allclose((a @ b).apply(x), a.apply(b.apply(x)), atol=1e-9)


@given(rigids, points)
def test_inverse_undoes(a, x):
    assert np.allclose(a.inverse().apply(a.apply(x)), x, atol=1e-9)
    assert np.allclose(a.apply(a.center[None]), 0, atol=1e-9)


@given(rigids)
def test_quaternion_round_trip(a):
    assert np.allclose(Rigid.from_quat_wxyz(a.quat_wxyz, a.translation).rotation, a.rotation, atol=1e-12)


@given(rigids, arrays(float, 6, elements=st.floats(-1, 1)))
def test_the_adjoint_carries_a_small_motion_of_the_source_to_the_target(transform, motion):
    def moved(step):
        return Rigid(Rotation.from_rotvec(step[:3]).as_matrix(), step[3:])

    step = 1e-6 * motion
    before, after = transform @ moved(step), moved(transform.adjoint @ step) @ transform
    assert np.allclose(before.rotation, after.rotation, atol=1e-9)
    assert np.allclose(before.translation, after.translation, atol=1e-8)
