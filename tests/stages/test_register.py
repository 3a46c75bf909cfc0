from dataclasses import replace

import numpy as np
import pytest

from vloc.data.capture import GIVEN, Sensor
from vloc.data.evidence import Trials
from vloc.data.quality import ImageQuality
from vloc.data.selection import Correspondences
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.calibration import calibrated
from vloc.solvers.pnp import PnpConfig
from vloc.solvers.pose_priors import Upright
from vloc.stages.register import REGISTER, register

from .places import two_places
from .two_views import WIDE, features_at

GOOD = ImageQuality(0.8, 0.7, 0.0, 0.01, 0.5, 0.9)
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
    return register(config, name, sensor, GOOD, features[name], matches, sparse, PRIOR, 0), sparse


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


def test_a_pose_as_sure_as_asked_for_is_believed():
    estimate = registered(shown=False, min_inliers=4, min_confidence=0.0)[0]
    assert registered(shown=False, min_inliers=4, min_confidence=estimate.confidence)[0].is_localized


def test_too_few_inliers_are_no_pose_whatever_their_confidence():
    estimate, _ = registered(min_inliers=10_000)
    assert estimate.cam_from_world is None and "a pose needs 10000" in estimate.reason


GRID = np.array([(x, y, 4.0 + (x + 2 * y) % 3) for x in range(-2, 4) for y in range(-2, 3)])
BY_HAND = SparseMap(
    ["m"], (WIDE,), np.zeros(1, np.int32), Rigid.identity(1), GRID, np.zeros(30, np.float32),
    np.array([0, 30]), np.arange(30, dtype=np.int32),
)  # fmt: skip


def sighting(count, num_wrong=0):
    """What a camera at (1, 0, 0) sees of a grid, pixels by hand, x = 200 + 100 (X - 1) / Z; in another order."""
    pixels = np.stack([200 + 100 * (GRID[:, 0] - 1) / GRID[:, 2], 150 + 100 * GRID[:, 1] / GRID[:, 2]], axis=1)
    keypoints = np.concatenate([np.full((7, 2), 33.0), pixels[::-1]])  # keypoint 36 - i shows point i
    points = np.random.default_rng(0).permutation(30)[:count].astype(np.int32)
    shown = 36 - points
    shown[:num_wrong] = np.arange(num_wrong)
    images = np.zeros(count, np.int32)
    return features_at(keypoints), Correspondences(shown, points, np.ones(count, np.float32), images)


def run_stage(queries, config):
    """The stage's answers, in the order of the queries."""
    features, matches = ({name: pair[side] for name, pair in queries.items()} for side in (0, 1))
    sensors = {name: Sensor("camera", camera=WIDE) for name in queries}
    tables = features, matches, sensors, dict.fromkeys(sensors, GOOD), dict.fromkeys(sensors)
    run = REGISTER.start(config, Runtime(), *tables, BY_HAND, PRIOR, 0)
    return list(run(list(queries)))


def test_each_query_gets_the_pose_that_its_own_matches_say_by_hand():
    config = PnpConfig(min_confidence=0.0)
    lost, estimate = run_stage({"lost.jpg": sighting(11), "q.jpg": sighting(30, num_wrong=5)}, config)
    assert (estimate.name, estimate.source, estimate.num_inliers, estimate.num_matches) == ("q.jpg", "pnp", 25, 30)
    np.testing.assert_allclose(estimate.cam_from_world.center, [1, 0, 0], atol=1e-5)
    np.testing.assert_allclose(estimate.cam_from_world.rotation, np.eye(3), atol=1e-5)
    assert estimate.covariance.shape == (6, 6) and estimate.camera == WIDE
    assert (lost.name, lost.source, lost.cam_from_world, lost.num_matches) == ("lost.jpg", "none", None, 11)
    assert "11 matches" in lost.reason and lost.focal_sigma_px == 0


def test_where_no_pose_is_believed_samples_under_a_felt_up_have_a_try():
    features, matches = sighting(30)
    wrong = Correspondences(  # 300 with another map image, which say nothing against the agreement of the first
        np.resize(matches.keypoints, 300), np.random.default_rng(1).integers(0, 30, 300).astype(np.int32),
        np.ones(300, np.float32), np.ones(300, np.int32),
    )  # fmt: skip
    joined = Correspondences(*(np.concatenate(p) for p in zip(columns(matches), columns(wrong), strict=True)))
    config, sensor = PnpConfig(max_iterations=128, max_error_px=2), Sensor("camera", camera=WIDE)
    seen = config, "q", sensor, GOOD, features, joined, BY_HAND, PRIOR, 0
    alone = register(*seen)
    up = Upright(np.array([0.0, -1, 0]), np.array([0.0, -1, 0]), 0.001)
    assert not alone.is_localized
    found = register(*seen, up)
    np.testing.assert_allclose(found.cam_from_world.center, [1, 0, 0], atol=1e-4)
    assert found.source == "pnp" and found.confidence > config.min_confidence and found.num_inliers >= 30
    lying = register(*seen, replace(up, in_cam=np.array([1.0, 0, 0])))
    assert not lying.is_localized and lying.reason


def columns(matches):
    return matches.keypoints, matches.points, matches.scores, matches.images


def test_the_error_of_a_focal_length_is_told_in_px_of_the_first_one():
    stretched = Camera("PINHOLE", 400, 300, (100.0, 200.0, 200.0, 150.0))
    features, matches = sighting(30)
    keypoints = 150 + (features.keypoints - 150) * np.float32([1, 2])  # down the image twice as large
    keypoints[:, 0] = features.keypoints[:, 0]
    sensor, config = Sensor("camera", camera=stretched), PnpConfig(refine="focal", min_confidence=0.0)
    estimate = register(config, "q", sensor, GOOD, features_at(keypoints), matches, BY_HAND, PRIOR, 0)
    alone = absolute_pose(keypoints[matches.keypoints].astype(np.float64), GRID[matches.points], stretched, config)
    np.testing.assert_allclose(estimate.camera.focal, [100, 200], rtol=1e-4)
    assert 0 < estimate.focal_sigma_px == pytest.approx(alone.focal_sigma * 100, rel=1e-4)
