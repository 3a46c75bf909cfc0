"""Queries without a pose, with a depth map: placed by it where it and the photo say enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vloc.data.capture import Sensor
from vloc.data.depth import KeypointPlanes
from vloc.data.estimate import PoseEstimate
from vloc.data.evidence import Trials
from vloc.data.features import LocalFeatures
from vloc.data.selection import Correspondences
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime
from vloc.solvers.calibration import calibrated
from vloc.solvers.pnp import PnpConfig
from vloc.stages.orient import ORIENT, orient
from vloc.stages.register import register

CAMERA = Camera("SIMPLE_PINHOLE", 640, 480, (500.0, 320.0, 240.0))
SENSOR = Sensor("camera", camera=CAMERA)
POSE = Rigid(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([0.5, -0.2, 1.0]))
POINTS_IN_CAM = np.random.default_rng(0).uniform([-1, -1, 3], [1, 1, 6], (40, 3))
ZEROS, ROWS = np.zeros(40, np.float32), np.arange(40, dtype=np.int32)
FEATURES = LocalFeatures(project(CAMERA, POINTS_IN_CAM).astype(np.float32), np.zeros((40, 4), np.uint8), ZEROS, ZEROS)
PLANES = KeypointPlanes(np.column_stack([np.zeros((40, 2)), 1 / POINTS_IN_CAM[:, 2]]).astype(np.float32))
MAP = SparseMap(
    ["a"], (CAMERA,), np.zeros(1, np.int32), Rigid.identity(1), POSE.inverse().apply(POINTS_IN_CAM), ZEROS,
    np.array([0, 0]), np.zeros(0, np.int32),
)  # fmt: skip
CALIBRATION, CONFIG = calibrated(Trials.joined([])), PnpConfig()
LOST = PoseEstimate("q", None, "none", 9, 30, reason="9 inliers, a pose needs 12", camera=CAMERA)


def shown(num_right: int, num_wrong: int = 0) -> Correspondences:
    """Some keypoints with their points, and others with those of others."""
    points = ROWS.copy()
    points[num_right:] = np.roll(points[num_right:], 1)
    count = num_right + num_wrong
    return Correspondences(ROWS[:count], points[:count], ZEROS[:count], np.zeros(count, np.int32))


def placed(matches: Correspondences, planes: KeypointPlanes | None = PLANES, config: PnpConfig = CONFIG):
    return orient(config, LOST, SENSOR, None, FEATURES, matches, planes, MAP, CALIBRATION, 0)


def test_a_query_that_the_photo_alone_does_not_place_gets_its_pose_by_depth() -> None:
    matches, config = shown(11, 3), replace(CONFIG, min_inliers=12)
    seen = config, "q", SENSOR, None, FEATURES, matches, MAP, CALIBRATION, 0
    assert not register(*seen).is_localized  # eleven matches agree
    found = placed(matches)
    assert found.cam_from_world is not None and found.covariance is not None
    np.testing.assert_allclose(found.cam_from_world.rotation, POSE.rotation, atol=1e-5)
    np.testing.assert_allclose(found.cam_from_world.center, POSE.center, atol=1e-4)
    assert (found.source, found.num_inliers, found.num_matches, found.reason) == ("depth", 11, 14, "")
    assert found.confidence > CONFIG.min_confidence


def test_too_little_is_no_pose_and_keeps_its_reason() -> None:
    assert placed(shown(8, 3)) is LOST
    assert placed(shown(11, 3), config=PnpConfig(min_confidence=1.0)) is LOST
    assert placed(shown(30), planes=None) is LOST


def test_matches_without_depth_count_as_in_the_image_alone() -> None:
    planes = PLANES.planes.copy()
    planes[6:] = np.nan
    assert placed(shown(11), KeypointPlanes(planes)) is LOST  # depth of six does not make up for the twelfth
    found = placed(shown(30), KeypointPlanes(planes))
    assert found.num_inliers == found.num_matches == 30
    assert placed(shown(30), KeypointPlanes(np.full_like(planes, np.nan))) is LOST


def test_depth_that_contradicts_the_photo_places_nothing() -> None:
    assert placed(shown(30), KeypointPlanes(PLANES.planes / 1.5)) is LOST


def test_the_stage_leaves_poses_as_they_are() -> None:
    here = PoseEstimate("here", POSE, "pnp", covariance=np.eye(6))
    names = ("here", "q")
    same = [dict.fromkeys(names, value) for value in (FEATURES, shown(40), SENSOR, None, PLANES)]
    run = ORIENT.start(CONFIG, Runtime(), {"here": here, "q": LOST}, *same, MAP, CALIBRATION, 0)
    first, second = run(names)
    assert first is here and second.source == "depth"
