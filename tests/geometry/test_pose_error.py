"""Pose errors, down to the smallest angle and up to the half turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vloc.geometry.pose_error import pose_errors, rotation_angle
from vloc.geometry.rigid import Rigid


def turn(angle, axis=(1.0, 2.0, -3.0)):
    return Rotation.from_rotvec(np.array(axis) / np.linalg.norm(axis) * angle).as_matrix()


def test_a_pose_has_no_error_against_itself():
    pose = Rigid(turn(0.7), np.array([1.0, 2, 3]))
    metres, radians = pose_errors(pose, pose)
    assert metres == 0 and radians == pytest.approx(0, abs=1e-16)


def test_translation_error_is_between_camera_centres_not_translations():
    # Both stand at (1, 0, 0); one looks the other way, so its translation is (1, 0, 0) instead of (-1, 0, 0).
    ahead = Rigid(np.eye(3), np.array([-1.0, 0, 0]))
    back = Rigid(np.diag([-1.0, 1, -1]), np.array([1.0, 0, 0]))
    metres, radians = pose_errors(back, ahead)
    assert metres == 0 and radians == pytest.approx(np.pi)


@pytest.mark.parametrize("angle", [1e-12, 1e-8, 1e-3, np.pi - 1e-8, np.pi])
def test_tiny_angles_and_half_turns_keep_their_digits(angle):
    assert rotation_angle(turn(angle), np.eye(3)) == pytest.approx(angle, rel=1e-3, abs=1e-15)


def test_a_batch_against_one_broadcasts():
    batch = np.stack([turn(0.1), turn(0.2)])
    assert np.allclose(rotation_angle(batch, np.eye(3)), [0.1, 0.2])


@given(st.floats(0, np.pi), st.floats(-3, 3))
def test_the_angle_is_the_one_turned_by_whatever_came_before(angle, before):
    base = turn(before, (0.0, 1.0, 0.5))
    assert rotation_angle(turn(angle) @ base, base) == pytest.approx(angle, abs=1e-7)
