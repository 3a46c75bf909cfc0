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
from vloc.solvers.pnp_refinement import Guided

CONFIG = PnpConfig()


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
@pytest.mark.parametrize("offset", [0.0, 5e6])
def test_a_pose_in_hand_is_refined_on_other_matches(camera, offset):
    pixels, points, truth, wrong = sightings(camera, 500, noise=0.5, outliers=0.1, offset=offset)
    start = Rigid(Rotation.from_rotvec([0.002, 0, 0.001]).as_matrix(), np.array([0.001, 0.002, 0.0])) @ truth
    found = Guided.of(pixels, points, camera, CONFIG, CALIBRATED, start, camera).refined()
    expected = absolute_pose(pixels[~wrong], points[~wrong], camera, CONFIG)
    assert pose_errors(found.cam_from_world, expected.cam_from_world)[0] < 1e-3
    assert found.inliers[~wrong].all() and found.covariance.shape == (6, 6)


def test_a_pose_comes_nearer_and_is_where_it_was_when_it_has_come():
    pixels, points, truth, _ = sightings(OPENCV, 500, noise=0.5)
    start = Rigid(Rotation.from_rotvec([0.002, 0, 0.001]).as_matrix(), np.array([0.001, 0.002, 0.0])) @ truth
    nearer, camera = Guided.of(pixels, points, OPENCV, CONFIG, CALIBRATED, start, OPENCV).nearer()
    assert camera == OPENCV and pose_errors(nearer, truth)[0] < 0.5 * pose_errors(start, truth)[0]
    again, _ = Guided.of(pixels, points, OPENCV, CONFIG, CALIBRATED, nearer, OPENCV).nearer()
    assert max(pose_errors(again, nearer)) < 1e-5


def test_a_pose_from_which_no_match_can_be_seen_is_refused():
    pixels, points, truth, _ = sightings(PINHOLE)
    back = Rigid(np.diag([-1.0, 1.0, -1.0]), np.zeros(3)) @ truth
    guided = Guided.of(pixels, points, PINHOLE, CONFIG, CALIBRATED, back, PINHOLE)
    found = guided.refined()
    assert guided.nearer() is None
    assert found.cam_from_world is None and found.reason == "0 inliers, a pose needs 12"
