"""Refinement reaches the robust minimum, in the pixels of any camera."""

import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV, PINHOLE, sightings

from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.colmap import colmap_camera, colmap_pose
from vloc.solvers.pose_refinement import refine_pose, reprojection_errors

NUDGE = Rigid(Rotation.from_rotvec([0.01, -0.02, 0.01]).as_matrix(), np.array([0.05, -0.02, 0.04]))


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
def test_a_nudged_pose_returns_to_the_truth(camera):
    pixels, points, truth, _ = sightings(camera)
    found = refine_pose(pixels, points, camera, NUDGE @ truth, 1.0).cam_from_world
    assert max(pose_errors(found, truth)) < 1e-6


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_nudged_pose_returns_to_the_truth_in_any_unit_of_length(unit):
    pixels, points, truth, _ = sightings(PINHOLE)
    start = NUDGE @ truth
    small = Rigid(start.rotation, start.translation * unit)
    found = refine_pose(pixels, points * unit, PINHOLE, small, 1.0).cam_from_world
    assert max(pose_errors(Rigid(found.rotation, found.translation / unit), truth)) < 1e-6


def test_the_truth_stays_where_it_is():
    pixels, points, truth, _ = sightings(OPENCV)
    assert max(pose_errors(refine_pose(pixels, points, OPENCV, truth, 1.0).cam_from_world, truth)) < 1e-9


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_minimum_is_colmaps_for_the_same_loss(scale):
    pixels, points, truth, _ = sightings(FISHEYE, noise=1.0, outliers=0.1)
    options = pycolmap.AbsolutePoseRefinementOptions(loss_function_scale=scale, gradient_tolerance=1e-10)
    start = NUDGE @ truth
    everything = np.ones(len(pixels), bool)
    theirs = pycolmap.refine_absolute_pose(
        colmap_pose(start), pixels, points, everything, colmap_camera(FISHEYE), options
    )["cam_from_world"].matrix()
    ours = refine_pose(pixels, points, FISHEYE, start, scale).cam_from_world
    assert max(pose_errors(ours, Rigid(theirs[:, :3], theirs[:, 3]))) < 2e-5  # metres, 6 m away


def test_matches_that_leave_a_direction_free_have_no_covariance():
    line = np.outer(np.linspace(3, 9, 20), [0.1, 0.2, 1.0])
    pixels = np.tile([[590.0, 580.0]], (20, 1))  # the line runs through the camera: one pixel
    assert refine_pose(pixels, line, PINHOLE, Rigid.identity(), 1.0).covariance is None


def test_a_point_behind_the_camera_is_infinitely_far_off():
    points = np.array([[0, 0, 1.0], [0, 0, -1.0]])
    errors = reprojection_errors(np.full((2, 2), 500.0), points, PINHOLE, Rigid.identity())
    assert errors.tolist() == [100.0, np.inf]
