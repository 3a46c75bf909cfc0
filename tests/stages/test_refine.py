"""Poses refined on guided matches, in a world with exact truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.capture import GIVEN, Sensor
from vloc.data.estimate import PoseEstimate
from vloc.data.features import LocalFeatures
from vloc.data.map_images import MapImages
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.pnp import PnpConfig, PnpResult
from vloc.stages.refine import RefineConfig, _with_pose, refine

CAMERA = Camera("PINHOLE", 1000, 800, (900.0, 900.0, 500.0, 400.0))
SENSOR = Sensor("camera", camera=CAMERA, focal_source=GIVEN)
COUNT = 400
TRUTH = Rigid(Rotation.from_rotvec([0.1, -0.2, 0.05]).as_matrix(), np.array([0.3, -0.1, 0.2]))


def world():
    """Points that the query and one map image see, in another order each; the last hundred are behind the query."""
    rng = np.random.default_rng(0)
    in_cam = np.c_[rng.uniform(-0.5, 0.5, COUNT), rng.uniform(-0.4, 0.4, COUNT), np.ones(COUNT)]
    in_cam *= rng.uniform(4, 9, (COUNT, 1))
    in_cam[-100:, 2] *= -1
    points = TRUTH.inverse().apply(in_cam)
    descriptors = rng.integers(0, 90, (COUNT, 128)).astype(np.uint8)
    order = rng.permutation(COUNT - 100)
    keypoints = project(CAMERA, in_cam[order]).astype(np.float32)
    query = LocalFeatures(keypoints, descriptors[order], *np.ones((2, len(order)), np.float32))
    shown = rng.permutation(COUNT).astype(np.int32)
    features = LocalFeatures(np.zeros((COUNT, 2), np.float32), descriptors[shown], *np.ones((2, COUNT), np.float32))
    sparse = SparseMap(
        ["m.jpg"],
        (CAMERA,),
        np.zeros(1, np.int32),
        Rigid.identity(1),
        points,
        np.zeros(COUNT, np.float32),
        np.array([0, COUNT]),
        shown,
    )
    return query, shown, MapImages({"m.jpg": features}, sparse), sparse


def registered(**changes):
    """A pose that is off by about three pixels."""
    off = Rigid(Rotation.from_rotvec([0.003, -0.001, 0.002]).as_matrix(), np.array([0.002, 0.0, 0.001]))
    found = PoseEstimate("q", off @ TRUTH, "pnp", 20, 25, np.eye(6), camera=CAMERA, focal_source=GIVEN)
    return replace(found, **changes)


def test_a_pose_becomes_exact_on_all_points_in_view():
    found = refine(RefineConfig(), PnpConfig(), registered(), SENSOR, *world())
    assert (
        max(pose_errors(registered().cam_from_world, TRUTH))
        > 1e-3
        > 1e-5
        > max(pose_errors(found.cam_from_world, TRUTH))
    )
    assert found.num_guided == COUNT - 100 and found.covariance.max() < 1e-6


@pytest.mark.parametrize(("count", "remains"), [(20, 0.8), (75, 0.25), (100, 0.0), (300, 0.0)])
def test_by_few_matches_a_pose_stays_in_part_as_unsure_as_it_was(count, remains):
    found = PnpResult(TRUTH, np.ones(count, bool), np.diag([1e-6] * 6), "", CAMERA)
    estimate = _with_pose(registered(), found, count)
    np.testing.assert_allclose(estimate.covariance, (1e-6 + remains) * np.eye(6))


def test_guided_matches_are_no_evidence():
    found = refine(RefineConfig(), PnpConfig(), registered(), SENSOR, *world())
    assert (found.num_inliers, found.num_matches, found.source, found.name) == (20, 25, "pnp", "q")


@pytest.mark.parametrize(
    ("config", "estimate"),
    [
        (RefineConfig(radius_px=0), registered()),
        (RefineConfig(radius_px=0.01), registered()),  # nothing projects so near
        (RefineConfig(), registered(num_inliers=COUNT)),  # fewer matches than the pose had
        (RefineConfig(), PoseEstimate("q", None, "none", reason="3 matches, a pose needs 12")),
    ],
)
def test_a_pose_without_better_matches_stays_as_it_was(config, estimate):
    assert refine(config, PnpConfig(), estimate, SENSOR, *world()) is estimate


@pytest.mark.parametrize(("inliers", "is_refined"), [(COUNT - 100, True), (COUNT - 99, False)])
def test_as_many_guided_matches_as_inliers_are_enough(inliers, is_refined):
    found = refine(RefineConfig(), PnpConfig(), registered(num_inliers=inliers), SENSOR, *world())
    assert (found.num_guided == COUNT - 100) is is_refined


def test_what_looks_unlike_is_no_match_however_near_it_is():
    query, matched, images, sparse = world()
    estimate, other = registered(), replace(query, descriptors=np.roll(query.descriptors, 1, axis=0))
    assert refine(RefineConfig(), PnpConfig(), estimate, SENSOR, other, matched, images, sparse) is estimate


def test_the_error_of_a_refined_focal_length_is_told_in_px_of_the_first_one():
    camera = replace(CAMERA, params=(900.0, 800.0, 500.0, 400.0))
    found = PnpResult(TRUTH, np.ones(30, bool), np.diag([1.0] * 6 + [0.01]), "", camera)
    assert _with_pose(registered(), found, 30).focal_sigma_px == pytest.approx(0.1 * 900)


def test_a_focal_length_is_refined_with_the_pose():
    guess = Sensor("camera", camera=replace(CAMERA, params=(850.0, 850.0, 500.0, 400.0)), focal_source="guessed")
    start = registered(camera=guess.camera.adjusted(0.055).generalised(), focal_source="guessed")
    found = refine(RefineConfig(), PnpConfig(), start, guess, *world())
    assert found.camera.focal[0] == pytest.approx(900, abs=0.5) and found.focal_sigma_px > 0
    assert pose_errors(found.cam_from_world, TRUTH)[0] < 0.005


def test_without_matches_or_keypoints_there_is_nothing_to_refine_on():
    query, matched, images, sparse = world()
    estimate = registered()
    assert refine(RefineConfig(), PnpConfig(), estimate, SENSOR, query, matched[:0], images, sparse) is estimate
    assert refine(RefineConfig(), PnpConfig(), estimate, SENSOR, query[slice(0)], matched, images, sparse) is estimate


def test_the_second_round_leaves_out_what_only_a_worse_pose_could_take_for_the_point():
    """Beside every second keypoint, 4 px to the right, is another one that looks more like the point."""
    query, matched, images, sparse = world()
    rng = np.random.default_rng(1)
    copies = query[np.arange(0, len(query), 2)]
    right = replace(copies, keypoints=copies.keypoints + np.float32([4, 0]))
    blurred = np.where(
        np.arange(len(query))[:, None] % 2,
        query.descriptors,
        query.descriptors * 0.8 + rng.integers(0, 18, query.descriptors.shape),
    )
    noisy = query.keypoints + rng.normal(0, 0.5, query.keypoints.shape).astype(np.float32)
    both = LocalFeatures(
        np.concatenate([noisy, right.keypoints]),
        np.concatenate([blurred.astype(np.uint8), right.descriptors]),
        *np.ones((2, len(query) + len(right)), np.float32),
    )
    errors = []
    for near_px in (0.0, 2.0):
        found = refine(RefineConfig(near_px=near_px), PnpConfig(), registered(), SENSOR, both, matched, images, sparse)
        errors.append(pose_errors(found.cam_from_world, TRUTH)[0])
    assert errors[1] < 0.5 * errors[0]


def test_a_pose_that_says_so_well_where_points_are_is_looked_for_once():
    """The other keypoints, 4 px to the right, look more like the points: only the wide round could take them."""
    query, matched, images, sparse = world()
    right = replace(query, keypoints=query.keypoints + np.float32([4, 0]))
    left = replace(query, descriptors=(query.descriptors * 0.8).astype(np.uint8))
    parts = (np.concatenate([getattr(each, part) for each in (left, right)]) for part in ("keypoints", "descriptors"))
    both = LocalFeatures(*parts, *np.ones((2, 2 * len(query)), np.float32))
    points, off_px = sparse.points[: COUNT - 100], []
    for sigma in (1e-4, 1.0):
        known = registered(cam_from_world=TRUTH, covariance=sigma**2 * np.eye(6))
        found = refine(RefineConfig(), PnpConfig(), known, SENSOR, both, matched, images, sparse).cam_from_world
        off_px.append(np.abs(project(CAMERA, found.apply(points)) - project(CAMERA, TRUTH.apply(points))).max())
    assert off_px[0] < 0.01 < 3 < off_px[1]


def test_a_pose_that_is_less_sure_than_it_says_is_looked_for_in_the_wide():
    known = registered(covariance=1e-12 * np.eye(6))  # and three pixels off
    found = refine(RefineConfig(), PnpConfig(), known, SENSOR, *world())
    assert max(pose_errors(found.cam_from_world, TRUTH)) < 1e-5


def test_points_that_are_unsure_count_less():
    """All points but every fifth are off by 5 mm along one axis, and the map knows how unsure they are."""
    query, matched, images, sparse = world()
    unsure = np.arange(COUNT) % 5 > 0
    moved = sparse.points + np.outer(unsure * np.random.default_rng(2).normal(0, 0.005, COUNT), [1, 0, 0])
    covariances = np.outer(unsure, [0.005**2, 0, 0, 0, 0, 0]).astype(np.float32)
    maps = [replace(sparse, points=moved, point_covariances=known) for known in (None, covariances)]
    found = [
        refine(RefineConfig(noise_px=0.05), PnpConfig(), registered(), SENSOR, query, matched, images, m) for m in maps
    ]
    plain, weighed = (pose_errors(estimate.cam_from_world, TRUTH)[0] for estimate in found)
    assert weighed < 0.3 * plain
