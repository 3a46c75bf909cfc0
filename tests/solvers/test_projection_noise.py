"""How well a pose says where points are seen."""

import numpy as np
import pytest
from world import FISHEYE, OPENCV, PINHOLE, sightings

from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.projection_noise import projection_sigma
from vloc.solvers.robust_minimum import exp


def test_a_shift_across_the_view_and_a_turn_about_it_move_pixels_as_far_as_worked_by_hand():
    """f = 900 px: a point 4 m ahead moves 2.25 px by 1 cm; one 2 m beside it, 4.5 px by 0.01 rad about the axis."""
    ahead, aside = np.array([[0.0, 0.0, 4.0]]), np.array([[2.0, 0.0, 4.0]])
    shifted, turned = np.diag([0, 0, 0, 1e-4, 0, 0]), np.diag([0, 0, 1e-4, 0, 0, 0])
    assert projection_sigma(PINHOLE, Rigid.identity(), shifted, ahead) == pytest.approx(2.25)
    assert projection_sigma(PINHOLE, Rigid.identity(), turned, aside) == pytest.approx(4.5)
    assert projection_sigma(PINHOLE, Rigid.identity(), turned, ahead) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
def test_poses_drawn_from_a_covariance_project_points_so_far_apart(camera):
    rng = np.random.default_rng(0)
    _, points, pose, _ = sightings(camera, 5)
    root = rng.normal(0, 1e-4, (6, 6))
    seen = project(camera, pose.apply(points[:20]))
    drawn = [exp(root @ rng.normal(size=6)) @ pose for _ in range(2000)]
    apart = np.array([np.square(project(camera, each.apply(points[:20])) - seen).sum(1) for each in drawn])
    assert projection_sigma(camera, pose, root @ root.T, points[:20]) == pytest.approx(np.sqrt(apart.mean(0)), rel=0.1)
