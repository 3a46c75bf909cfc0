"""Steps to a robust minimum: the loss falls with each, and near it few are needed."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, sightings

from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_refinement import linearised
from vloc.solvers.robust_minimum import minimum

SCALE_PX = 1.0


def steps(nudge_degrees, outliers):
    """Losses and camera centres (m) on the way to the minimum, that of 1 px of noise and some wrong matches."""
    pixels, points, truth, _ = sightings(FISHEYE, noise=1.0, outliers=outliers)
    turned = Rotation.from_euler("xyz", [nudge_degrees] * 3, degrees=True).as_matrix()
    losses, centers = [], []

    def at(pose, moved):
        found = linearised(pixels, points, FISHEYE, pose)
        losses.append(np.log1p((found.residuals**2).sum(0) / SCALE_PX**2).sum())
        centers.append(pose.center)
        return found

    assert minimum(at, Rigid(turned, np.array([0.05, -0.02, 0.04])) @ truth, SCALE_PX, (), np.zeros(0)).is_fixed
    return np.array(losses), np.array(centers)


@pytest.mark.parametrize("nudge_degrees", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("outliers", [0.0, 0.3])
def test_no_step_makes_the_loss_larger(nudge_degrees, outliers):
    losses, _ = steps(nudge_degrees, outliers)
    assert (np.diff(losses) < 1e-9 * losses[:-1]).all()


def test_steps_near_the_minimum_leave_little_of_the_way():
    _, centers = steps(0.1, 0.1)
    left = np.linalg.norm(centers - centers[-1], axis=1)[-5:-1]
    assert (left[1:] < 0.3 * left[:-1]).all()  # by the weights alone, up to 0.44 of it
