import numpy as np

from vloc.data.capture import GIVEN, Sensor
from vloc.data.evidence import Trials
from vloc.data.selection import Correspondences
from vloc.geometry.pose_error import pose_errors
from vloc.solvers.absolute_pose import PnpConfig
from vloc.solvers.calibration import calibrated
from vloc.stages.register import register

from .places import two_places

PRIOR = calibrated(Trials.joined([]))


def correspondences(sparse, features, image, shown):
    """Every keypoint of an image with the point that it shows, or with another of the same place."""
    points = sparse.points_of(image)
    points = points if shown else np.roll(points, 7)
    count = len(points)
    from_images = np.full(count, image, np.int32)
    return Correspondences(np.arange(count, dtype=np.int32), points, np.ones(count, np.float32), from_images)


def registered(shown=True, **settings):
    sparse, features = two_places()
    matches = correspondences(sparse, features, 2, shown)
    config = PnpConfig(**settings)
    name = sparse.image_names[2]
    sensor = Sensor("camera", camera=sparse.camera(2), focal_source=GIVEN)
    return register(config, name, sensor, features[name], matches, sparse, PRIOR, 0), sparse


def test_a_query_whose_matches_are_right_gets_its_pose_and_full_confidence():
    estimate, sparse = registered()
    metres, radians = pose_errors(estimate.cam_from_world, sparse.cam_from_world[2])
    assert metres < 0.01 and radians < 0.002 and estimate.confidence > 0.99
    assert estimate.num_inliers == estimate.num_matches and estimate.source == "pnp" and not estimate.reason


def test_a_pose_without_belief_is_refused_with_its_reason_and_its_evidence():
    estimate, _ = registered(shown=False, min_inliers=4)
    assert estimate.cam_from_world is None and estimate.source == "none" and estimate.covariance is None
    assert estimate.confidence < 0.1 and estimate.evidence is not None
    assert "confidence 0.0" in estimate.reason and "matches agree" in estimate.reason


def test_a_limit_of_zero_gives_every_pose_with_its_confidence():
    estimate, _ = registered(shown=False, min_inliers=4, min_confidence=0.0)
    assert estimate.is_localized and estimate.confidence < 0.1


def test_too_few_inliers_are_no_pose_whatever_their_confidence():
    estimate, _ = registered(min_inliers=10_000)
    assert estimate.cam_from_world is None and "a pose needs 10000" in estimate.reason
