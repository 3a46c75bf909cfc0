"""Epipolar distances of exact, shifted and impossible matches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vloc.geometry.camera import Camera
from vloc.geometry.epipolar import agrees_with_poses, epipolar_errors, rays_meet_in_front
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid

SIDEWAYS = Rigid(np.eye(3), np.array([-1.0, 0, 0]))  # the second camera stands 1 m to the right
CAMERA = Camera("OPENCV", 1000, 800, (900.0, 900.0, 500.0, 400.0, 0.05, -0.02, 0.001, 0.0))


def turned(angle, translation=(-1.0, 0.2, 0.1)):
    return Rigid.from_quat_wxyz(np.array([np.cos(angle / 2), 0, np.sin(angle / 2), 0]), np.array(translation, float))


def views(cam2_from_cam1, count=100):
    rng = np.random.default_rng(0)
    points = rng.uniform([-1, -1, 4], [1, 1, 8], (count, 3))
    return project(CAMERA, points), project(CAMERA, cam2_from_cam1.apply(points))


def test_a_sideways_pair_by_hand_has_horizontal_lines():
    points1, points2 = np.array([[0.1, 0.2], [0.1, 0.2]]), np.array([[-0.1, 0.2], [-0.1, 0.21]])
    errors = epipolar_errors(points1, points2, SIDEWAYS, 100.0, 500.0)
    assert np.allclose(errors, [0, 0.01 * 500])  # the second point is 0.01 off its line, 5 px in the longer camera


def test_without_a_baseline_nothing_can_be_said_and_nothing_agrees():
    points = np.array([[0.1, 0.2]])
    assert np.isinf(epipolar_errors(points, points, Rigid.identity(), 100.0, 100.0)).all()
    assert not rays_meet_in_front(points, points, Rigid.identity()).any()


def test_rays_that_meet_behind_are_told_from_those_in_front():
    left, right = np.array([[-0.1, 0.0]]), np.array([[0.1, 0.0]])
    assert rays_meet_in_front(right, left, SIDEWAYS).all()  # each looks towards the other's side
    assert not rays_meet_in_front(left, right, SIDEWAYS).any()


def test_exact_matches_agree_through_distortion_and_shifted_ones_do_not():
    pixels1, pixels2 = views(turned(0.1))
    assert agrees_with_poses(pixels1, CAMERA, pixels2, CAMERA, turned(0.1), 1e-6).all()
    assert not agrees_with_poses(pixels1, CAMERA, pixels2 + np.array([0, 3.0]), CAMERA, turned(0.1), 2.0).any()


def test_no_matches_give_no_answers():
    none = np.zeros((0, 2))
    assert agrees_with_poses(none, CAMERA, none, CAMERA, SIDEWAYS, 2.0).shape == (0,)


@given(st.floats(-0.3, 0.3), st.floats(-1, 1), st.floats(-0.5, 0.5))
def test_every_point_seen_by_both_lies_on_its_lines(angle, y, z):
    motion = turned(angle, (-1.0, y, z))
    pixels1, pixels2 = views(motion, 10)
    assert agrees_with_poses(pixels1, CAMERA, pixels2, CAMERA, motion, 1e-6).all()


@given(st.floats(-0.3, 0.3))
def test_swapping_the_images_changes_no_distance(angle):
    points1, points2 = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 20, 2))
    there = epipolar_errors(points1, points2, turned(angle), 300.0, 500.0)
    back = epipolar_errors(points2, points1, turned(angle).inverse(), 500.0, 300.0)
    assert np.allclose(there, back)


def test_rays_that_meet_in_the_centre_of_a_camera_do_not_meet_in_front_of_it():
    """One camera stands 5 m in front of the other and looks the same way; the other's ray is its axis."""
    axis, aslant = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])
    ahead = np.array([0.0, 0.0, 5.0])
    assert not rays_meet_in_front(aslant, axis, Rigid(np.eye(3), ahead)).any()  # at the first, in front of the second
    assert not rays_meet_in_front(axis, aslant, Rigid(np.eye(3), -ahead)).any()
