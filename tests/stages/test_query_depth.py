"""Queries whose depth maps agree with their pose, and whose do not."""

from dataclasses import replace

import numpy as np
import pytest

from vloc.data.estimate import PoseEstimate
from vloc.data.features import LocalFeatures
from vloc.data.selection import Correspondences
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.stages.query_depth import QueryDepthConfig, examine, surface_of

CAMERA = Camera("SIMPLE_PINHOLE", 640, 480, (500.0, 320.0, 240.0))
CHECK, REFINE = QueryDepthConfig("check"), QueryDepthConfig("refine")
POINTS = np.random.default_rng(0).uniform([-1, -1, 3], [1, 1, 6], (40, 3))
PIXELS = project(CAMERA, POINTS).astype(np.float32)
ROWS = np.arange(40, dtype=np.int32)
HERE = PoseEstimate("q.jpg", Rigid.identity(), "pnp", 40, 40, np.eye(6) * 1e-4, camera=CAMERA, confidence=0.9)


def planes(scale: float = 1.0) -> np.ndarray:
    """Of walls across the axis, where each point is, times a scale."""
    return np.column_stack([np.zeros((40, 2)), 1 / (scale * POINTS[:, 2])]).astype(np.float32)


def surface(planes: np.ndarray, pose: Rigid = HERE.cam_from_world or Rigid.identity()):  # noqa: B008 - a constant
    zeros = np.zeros(40, np.float32)
    features = LocalFeatures(PIXELS, np.zeros((40, 4), np.uint8), zeros, zeros)
    shown = SparseMap(
        ["a"],
        (CAMERA,),
        np.zeros(1, np.int32),
        Rigid.identity(1),
        POINTS,
        zeros,
        np.array([0, 0]),
        np.zeros(0, np.int32),
    )
    matches = Correspondences(ROWS, ROWS, zeros, np.zeros(40, np.int32))
    return surface_of(replace(HERE, cam_from_world=pose), features, matches, planes, shown, 8.0)


def test_a_pose_that_depth_agrees_with_stays() -> None:
    assert examine(CHECK, HERE, surface(planes())) is HERE
    refined = examine(REFINE, HERE, surface(planes()))
    assert refined.cam_from_world is not None and refined.covariance is not None and HERE.covariance is not None
    np.testing.assert_allclose(refined.cam_from_world.translation, 0, atol=1e-6)
    assert np.trace(refined.covariance) < np.trace(HERE.covariance)


@pytest.mark.parametrize("scale", [0.85, 1.2])
def test_a_pose_whose_scale_depth_contradicts_is_refused(scale: float) -> None:
    found = examine(CHECK, HERE, surface(planes(scale)))
    assert found.cam_from_world is None and found.source == "none" and found.covariance is None
    assert found.reason == (
        "a pose was found with confidence 0.90, but the photo's depth map has its points "
        f"{scale:.3f} times as far away (median of 40), expected 1 within 0.1"
    )


def test_only_matches_with_depth_that_agree_with_the_pose_count() -> None:
    some = planes()
    some[::2] = np.nan
    assert len(surface(some)) == 20
    assert len(surface(planes(), Rigid(np.eye(3), np.array([1.0, 0, 0])))) == 0
    few = np.full((40, 3), np.nan, np.float32)
    few[:5] = planes(2.0)[:5]
    assert examine(CHECK, HERE, surface(few)) is HERE


def test_a_query_without_a_pose_stays_without() -> None:
    lost = replace(HERE, cam_from_world=None)
    assert examine(REFINE, lost, surface(planes())) is lost
