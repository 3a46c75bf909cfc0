"""SfM of a synthetic walk: poses up to a similarity, and failures that name themselves."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import PINHOLE, walk

from vloc.data.mounting import Mounting
from vloc.errors import ConfigError, DataError, StageError
from vloc.geometry.alignment import align
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.sfm import SfmConfig, UnposedImages, _run_child, reconstruct

GUESS = Camera("SIMPLE_PINHOLE", 1000, 800, (990.0, 500.0, 400.0))  # the true focal length is 900


def unposed(world, camera=PINHOLE, is_prior=True):
    count = len(world.images)
    return UnposedImages(world.images.names, (camera,), np.zeros(count, np.int32), (is_prior,))


@pytest.mark.parametrize("method", ["incremental", "global"])
def test_all_images_are_placed_up_to_a_similarity(method):
    world = walk(num_points=600, noise=0.3, cameras=(PINHOLE,))
    sparse = reconstruct(unposed(world), world.keypoints, world.matches, SfmConfig(method=method))
    truth = world.images.cam_from_world
    assert sparse.image_names == world.images.names
    aligned = align(sparse.cam_from_world.center, truth.center).apply_to_cameras(sparse.cam_from_world)
    metres, radians = pose_errors(aligned, truth)
    assert metres.max() < 0.02 and radians.max() < 0.01
    assert sparse.mean_error < 0.6 and (sparse.track_lengths >= 2).all()


MOUNT = Rigid(Rotation.from_euler("y", 4, degrees=True).as_matrix(), np.array([-0.4, 0.05, 0.02]))
"""of the second camera of a rig, in the first"""


def on_a_rig(world):
    """The walk's images, two by two taken by a rig; its sensors hang on something beside the first camera."""
    rows = np.arange(len(world.images), dtype=np.int32)
    beside = Rigid(Rotation.from_euler("z", 90, degrees=True).as_matrix(), np.array([0.1, 0.2, 0.3]))
    mounting = Mounting(rows % 2, rows // 2, np.zeros(2, np.int32), Rigid.stack([beside, MOUNT @ beside]))
    return UnposedImages(world.images.names, (PINHOLE, PINHOLE), rows % 2, (True, True), mounting)


def scale_of(sparse, truth):
    """Of the found centres against the true ones."""
    return 1 / align(sparse.cam_from_world.center, truth.center).scale


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rig_gives_its_scale_and_ties_its_images(seed):
    world = walk(10, num_points=600, noise=0.3, cameras=(PINHOLE,), seed=seed, mount=MOUNT)
    truth, results = world.images.cam_from_world, {}
    for rigs in ("fixed", "none"):
        config = SfmConfig(rigs=rigs)
        images = on_a_rig(world) if rigs == "fixed" else unposed(world)
        results[rigs] = reconstruct(images, world.keypoints, world.matches, config)
    poses = results["fixed"].cam_from_world
    mounts = poses[np.arange(1, 10, 2)] @ poses[np.arange(0, 10, 2)].inverse()
    assert np.abs(mounts.translation - MOUNT.translation).max() < 1e-6
    assert np.abs(mounts.rotation - MOUNT.rotation).max() < 1e-6
    assert scale_of(results["fixed"], truth) == pytest.approx(1, abs=0.01)
    assert scale_of(results["none"], truth) != pytest.approx(1, abs=0.1)


def test_a_wrong_mount_is_refined_where_that_is_asked():
    world = walk(10, num_points=600, noise=0.3, cameras=(PINHOLE,), mount=MOUNT)
    images, wrong = on_a_rig(world), Rigid.stack([Rigid.identity(), Rigid(np.eye(3), np.array([-0.4, 0, 0]))])
    images = replace(images, mounting=replace(images.mounting, sensors_from_rig=wrong))
    poses = reconstruct(images, world.keypoints, world.matches, SfmConfig(rigs="refined")).cam_from_world
    mounts = poses[np.arange(1, 10, 2)] @ poses[np.arange(0, 10, 2)].inverse()
    turned = Rotation.from_matrix(mounts.rotation @ MOUNT.rotation.T).magnitude()
    assert np.degrees(turned).max() < 0.2 and np.ptp(mounts.translation, axis=0).max() < 1e-6


def test_global_sfm_of_fixed_rigs_is_refused():
    with pytest.raises(ConfigError, match="loses the scale"):
        SfmConfig(method="global", rigs="fixed")


def test_a_guessed_focal_length_is_refined():
    world = walk(num_points=600, noise=0.3, cameras=(PINHOLE,))
    sparse = reconstruct(unposed(world, GUESS, is_prior=False), world.keypoints, world.matches, SfmConfig())
    assert sparse.cameras[0].model == "SIMPLE_PINHOLE"
    assert sparse.cameras[0].focal[0] == pytest.approx(900, rel=0.02)


def test_intrinsics_stay_when_told_so():
    world = walk(num_points=600, noise=0.3, cameras=(PINHOLE,))
    sparse = reconstruct(unposed(world), world.keypoints, world.matches, SfmConfig(refine_intrinsics=False))
    assert sparse.cameras == (PINHOLE,)


def test_an_image_that_matches_nothing_is_left_out_and_the_rows_stay_right():
    world = walk(num_points=600, noise=0.3, cameras=(PINHOLE,))
    matches = {pair: m for pair, m in world.matches.items() if 2 not in pair}
    sparse = reconstruct(unposed(world), world.keypoints, matches, SfmConfig())
    assert sparse.image_names == [name for name in world.images.names if name != "002.jpg"]
    rows = sparse.points_of(2)  # of 003.jpg
    assert len(rows) == len(world.keypoints[3]) and (rows >= 0).sum() > 50


@pytest.mark.parametrize("method", ["incremental", "global"])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads_for_the_pairs(method):
    world = walk(num_points=300, noise=0.3, cameras=(PINHOLE,))
    one, four = (
        reconstruct(unposed(world), world.keypoints, world.matches, SfmConfig(method=method), seed=4, pair_threads=n)
        for n in (1, 4)
    )
    assert np.array_equal(one.points, four.points)
    assert np.array_equal(one.cam_from_world.rotation, four.cam_from_world.rotation)


def test_images_that_share_nothing_are_a_stage_error():
    world = walk(count=3)
    with pytest.raises(StageError, match=r"registered none of 3 images \(0 pairs, 0 matches\)"):
        reconstruct(unposed(world), world.keypoints, {}, SfmConfig())


def test_a_dying_mapper_is_a_stage_error_with_its_last_words(tmp_path):
    with pytest.raises(StageError, match=r"the mapper ended with status 1: .*job\.json"):
        _run_child(tmp_path)


def test_a_camera_without_intrinsics_is_refused_by_image():
    world = walk(count=2)
    with pytest.raises(DataError, match=r"000.jpg: SfM starts from intrinsics"):
        reconstruct(unposed(world, Camera("UNKNOWN_CAMERA", 9, 9)), world.keypoints, world.matches, SfmConfig())


def test_each_method_is_the_mapper_of_its_name():
    # Only the incremental mapper resects cameras, for which no image has so many matches.
    world, demanding = walk(num_points=600, noise=0.3, cameras=(PINHOLE,)), SfmConfig(min_inliers=10_000)
    with pytest.raises(StageError):
        reconstruct(unposed(world), world.keypoints, world.matches, demanding)
    sparse = reconstruct(unposed(world), world.keypoints, world.matches, replace(demanding, method="global"))
    assert sparse.image_names == world.images.names
