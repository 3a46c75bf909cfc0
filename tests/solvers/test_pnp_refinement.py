"""A pose in hand is refined on other matches."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV, PINHOLE, sightings

from vloc.data.capture import CALIBRATED
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.pnp import PnpConfig
from vloc.solvers.pnp_refinement import refined_absolute_pose

CONFIG = PnpConfig()


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
@pytest.mark.parametrize("offset", [0.0, 5e6])
def test_a_pose_in_hand_is_refined_on_other_matches(camera, offset):
    pixels, points, truth, wrong = sightings(camera, 500, noise=0.5, outliers=0.1, offset=offset)
    start = Rigid(Rotation.from_rotvec([0.002, 0, 0.001]).as_matrix(), np.array([0.001, 0.002, 0.0])) @ truth
    found = refined_absolute_pose(pixels, points, camera, CONFIG, CALIBRATED, start, camera)
    expected = absolute_pose(pixels[~wrong], points[~wrong], camera, CONFIG)
    assert pose_errors(found.cam_from_world, expected.cam_from_world)[0] < 1e-3
    assert found.inliers[~wrong].all() and found.covariance.shape == (6, 6)


def test_a_pose_from_which_no_match_can_be_seen_is_refused():
    pixels, points, truth, _ = sightings(PINHOLE)
    back = Rigid(np.diag([-1.0, 1.0, -1.0]), np.zeros(3)) @ truth
    found = refined_absolute_pose(pixels, points, PINHOLE, CONFIG, CALIBRATED, back, PINHOLE)
    assert found.cam_from_world is None and found.reason == "0 inliers, a pose needs 12"
