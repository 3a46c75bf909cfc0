"""Poses of rigs: exact truth, what no camera sees alone, honest covariance, and no pose where there is none."""

from dataclasses import replace

import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from vloc.errors import DataError
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.colmap import colmap_camera
from vloc.solvers.generalized_pose import better_rig_pose, generalized_pose
from vloc.solvers.pnp import PnpConfig
from vloc.solvers.pose_covariance import DEPENDENCE
from vloc.solvers.whitening import Whitening

from .rigs import mounts, rig_sees, sight
from .world import PINHOLE, random_pose

CONFIG = PnpConfig()


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_exact_matches_give_the_exact_pose_wherever_the_origin_of_the_world_is(offset: float) -> None:
    views, truth = rig_sees((40, 30, 20), offset=offset)
    found = generalized_pose(views, CONFIG)
    metres, radians = pose_errors(found.rig_from_world, truth)
    assert metres < 1e-6 * max(1, offset / 1e3) and radians < 1e-6
    assert [int(rows.sum()) for rows in found.inliers] == [40, 30, 20]


def test_cameras_that_alone_have_too_few_matches_are_placed_together() -> None:
    views, truth = rig_sees((5, 5, 5), noise=0.3)
    alone = [absolute_pose(v.points2d, v.points_in_world, v.camera, CONFIG).cam_from_world for v in views]
    found = generalized_pose(views, CONFIG)
    assert alone == [None] * 3 and pose_errors(found.rig_from_world, truth)[0] < 0.02


def test_two_matches_of_each_of_many_cameras_are_enough() -> None:
    rng = np.random.default_rng(0)
    truth = random_pose(rng)
    views = [sight(PINHOLE, mount, truth, 2, rng) for mount in mounts(6)]
    found = generalized_pose(views, CONFIG)
    assert max(pose_errors(found.rig_from_world, truth)) < 1e-6 and all(rows.all() for rows in found.inliers)


def test_a_camera_without_matches_is_no_hindrance() -> None:
    views, truth = rig_sees((30, 30, 0), noise=0.3)
    found = generalized_pose(views, CONFIG)
    assert pose_errors(found.rig_from_world, truth)[0] < 0.02 and [len(rows) for rows in found.inliers] == [30, 30, 0]


def test_wrong_matches_of_blind_cameras_do_not_hide_what_one_sees() -> None:
    rng = np.random.default_rng(3)
    views, truth = rig_sees((20, 600, 600), noise=0.3)
    blind = [replace(view, points2d=rng.uniform(0, [1000, 800], view.points2d.shape)) for view in views[1:]]
    found = generalized_pose([views[0], *blind], CONFIG)
    assert pose_errors(found.rig_from_world, truth)[0] < 0.05 and found.inliers[0].all()


def test_the_pose_is_as_good_as_colmaps_with_the_same_loss() -> None:
    ours, theirs, config = [], [], PnpConfig(loss_scale_px=1.0)
    for seed in range(20):
        views, truth = rig_sees((60, 60, 60), noise=1.0, outliers=0.3, seed=seed)
        found = pycolmap.estimate_and_refine_generalized_absolute_pose(
            np.concatenate([view.points2d for view in views]),
            np.concatenate([view.points_in_world for view in views]),
            np.repeat(np.arange(3), 60),
            [pycolmap.Rigid3d(np.c_[v.cam_from_rig.rotation, v.cam_from_rig.translation]) for v in views],
            [colmap_camera(view.camera) for view in views],
            pycolmap.RANSACOptions(max_error=8.0, random_seed=0, max_num_trials=10_000),
        )
        pose = found["rig_from_world"].matrix()
        theirs.append(pose_errors(Rigid(pose[:, :3], pose[:, 3]), truth)[0])
        ours.append(pose_errors(generalized_pose(views, config).rig_from_world, truth)[0])
    assert np.mean(ours) < 1.05 * np.mean(theirs)


def test_errors_are_as_large_as_the_covariance_says() -> None:
    distances = []
    for seed in range(150):
        views, truth = rig_sees((40, 40, 40), noise=0.7, outliers=0.2, seed=seed)
        found = generalized_pose(views, CONFIG, seed)
        moved = found.rig_from_world @ truth.inverse()
        error = np.append(Rotation.from_matrix(moved.rotation).as_rotvec(), moved.translation)
        distances.append(error @ np.linalg.solve(found.covariance, error))
    assert 0.85 * 6 < DEPENDENCE * np.mean(distances) < 1.3 * 6
    assert np.mean(np.array(distances) < chi2.ppf(0.95, 6)) > 0.9


def test_the_derivative_by_points_is_that_of_moving_them() -> None:
    views, _ = rig_sees((30, 30))
    found = generalized_pose(views, CONFIG)
    shift = np.array([2e-4, -1e-4, 3e-4])
    points = views[1].points_in_world.copy()
    points[7] += shift
    after = generalized_pose([views[0], replace(views[1], points_in_world=points)], CONFIG).rig_from_world
    moved = after @ found.rig_from_world.inverse()
    step = np.append(Rotation.from_matrix(moved.rotation).as_rotvec(), moved.translation)
    np.testing.assert_allclose(found.by_point[30 + 7] @ shift, step, atol=0.03 * np.abs(step).max())


def test_more_matches_make_a_pose_better_and_unsure_points_count_less() -> None:
    views, truth = rig_sees((40, 40), noise=0.5, seed=5)
    rough = Rigid(truth.rotation, truth.translation + 0.02)
    rng = np.random.default_rng(0)
    unsure = replace(views[1], points_in_world=views[1].points_in_world + rng.normal(0, 0.03, (40, 3)))
    plain = better_rig_pose([views[0], unsure], rough, CONFIG)
    weighed = replace(unsure, whitening=Whitening(np.broadcast_to(0.1 * np.eye(2), (40, 2, 2))))
    better = better_rig_pose([views[0], weighed], rough, CONFIG)
    errors = [pose_errors(found.rig_from_world, truth)[0] for found in (better, plain)]
    assert errors[0] < errors[1] < 0.02


def test_too_few_matches_are_said_to_be_too_few() -> None:
    views, _ = rig_sees((4, 4))
    found = generalized_pose(views, CONFIG)
    assert found.rig_from_world is None and found.reason == "8 matches of 2 cameras, a pose needs 12"


def test_matches_that_agree_on_nothing_give_no_pose() -> None:
    rng = np.random.default_rng(0)
    views = [replace(view, points2d=rng.uniform(0, [1000, 800], view.points2d.shape)) for view in rig_sees((20, 20))[0]]
    found = generalized_pose(views, CONFIG)
    assert found.rig_from_world is None and "inliers of 2 cameras, a pose needs 12" in found.reason


def test_numbers_that_are_not_finite_are_refused() -> None:
    views, _ = rig_sees((20, 20))
    views[1].points2d[3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        generalized_pose(views, CONFIG)
