"""Frames one after another: expected near the last, found by retrieval where they are not there, never by motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from vloc.datasets.gallery_cameras import drive_pose, rig_cameras, sensors_from_rig
from vloc.datasets.synthetic_gallery import GalleryConfig, world

import vloc
from vloc.errors import ConfigError, DataError
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid

from .jobs import FAST, run

GALLERY = GalleryConfig(num_images=21, num_queries=4, image_size=(480, 360))
SHARES = (0.40, 0.41, 0.42, 0.43)
"""of a drive: frames 7 cm apart"""
ELSEWHERE = 0.75


@pytest.fixture(scope="module")
def localizer(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> vloc.Localizer:
    folder = tmp_path_factory.mktemp("tracker") / "map"
    assert run("map", gallery / "mapping", folder, *FAST) == 0
    return vloc.Localizer(folder)


def pose(share: float) -> Rigid:
    return drive_pose(world(GALLERY), share)


@pytest.fixture(scope="module")
def frames() -> dict[tuple[str, float], np.ndarray]:
    """Pictures by camera and share of the drive; the front camera is where the rig is."""
    place, cameras, mounts = world(GALLERY), rig_cameras(GALLERY.image_size), sensors_from_rig()
    taken = [("front", share) for share in (*SHARES, ELSEWHERE)] + [("left", share) for share in SHARES[:2]]
    return {(name, share): place.picture(cameras[name], mounts[name] @ pose(share)) for name, share in taken}


CAMERA = rig_cameras(GALLERY.image_size)["front"]
BLIND = np.zeros((360, 480), np.uint8)


def error(tracked: vloc.Tracked, share: float) -> float:
    found = tracked.estimate.cam_from_world
    assert found is not None
    return float(pose_errors(found, pose(share))[0])


def test_frames_are_found_where_the_last_ones_lead(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    tracker = vloc.Tracker(localizer)
    found = [tracker.track(frames["front", share], CAMERA, timestamp=10 * share) for share in SHARES]
    assert [each.by for each in found] == ["retrieval", "tracking", "tracking", "tracking"]
    assert max(error(each, share) for each, share in zip(found, SHARES, strict=True)) < 0.002
    alone = localizer.localize(frames["front", SHARES[-1]], CAMERA)
    assert pose_errors(found[-1].estimate.cam_from_world, alone.cam_from_world)[0] < 0.001
    assert found[-1].estimate.source == "pnp" and found[-1].estimate.confidence > 0.5


def test_a_frame_from_elsewhere_is_placed_there_and_a_blind_one_nowhere(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    tracker = vloc.Tracker(localizer)
    first = [tracker.track(frames["front", share], CAMERA) for share in SHARES[:2]]
    cut = tracker.track(frames["front", ELSEWHERE], CAMERA)
    blind = tracker.track(BLIND, CAMERA)
    after = tracker.track(frames["front", SHARES[0]], CAMERA)
    assert [each.by for each in (*first, cut, blind, after)] == [
        "retrieval",
        "tracking",
        "retrieval",
        "nothing",
        "retrieval",
    ]
    assert error(cut, ELSEWHERE) < 0.002 and error(after, SHARES[0]) < 0.002
    assert not blind.estimate.is_localized and blind.estimate.reason


def test_odometry_says_where_a_frame_is_expected_after_a_turn_of_the_camera(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    odometry_from_world = Rigid(
        Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix(), np.array([5.0, 6, 7])
    )
    tracker, world_from_odometry = vloc.Tracker(localizer), odometry_from_world.inverse()
    found = [
        tracker.track(frames["front", share], CAMERA, cam_from_odometry=pose(share) @ world_from_odometry)
        for share in (SHARES[0], SHARES[-1])  # three steps at once
    ]
    assert [each.by for each in found] == ["retrieval", "tracking"] and error(found[1], SHARES[-1]) < 0.002
    assert tracker.track(BLIND, CAMERA, cam_from_odometry=pose(SHARES[2]) @ world_from_odometry).by == "nothing"
    again = tracker.track(frames["front", SHARES[1]], CAMERA, cam_from_odometry=pose(SHARES[1]) @ world_from_odometry)
    assert again.by == "tracking" and error(again, SHARES[1]) < 0.002


def test_few_matches_near_the_expected_place_are_not_believed(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    careful = vloc.Tracker(vloc.Localizer(localizer.map, correspond={"sure_inliers": 5000}))
    assert [careful.track(frames["front", share], CAMERA).by for share in SHARES[:2]] == ["retrieval"] * 2


def test_frames_of_fewer_keypoints_are_tracked_too(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    tracker = vloc.Tracker(localizer, max_keypoints=300)
    found = [tracker.track(frames["front", share], CAMERA) for share in SHARES[:2]]
    assert [each.by for each in found] == ["retrieval", "tracking"] and error(found[1], SHARES[1]) < 0.003
    assert found[1].estimate.num_guided <= 300


def test_the_cameras_of_a_rig_are_tracked_together(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    cameras, mounts = rig_cameras(GALLERY.image_size), sensors_from_rig()
    names, tracker = ("front", "left"), vloc.Tracker(localizer)
    for share, by in zip(SHARES[:2], ("retrieval", "tracking"), strict=True):
        images = [frames[name, share] for name in names]
        found = tracker.track_rig(images, [cameras[name] for name in names], [mounts[name] for name in names])
        assert [each.by for each in found] == [by, by] and {each.estimate.source for each in found} == {"rig"}
        for name, each in zip(names, found, strict=True):
            assert pose_errors(each.estimate.cam_from_world, mounts[name] @ pose(share))[0] < 0.002


def test_what_is_no_next_frame_is_refused(
    localizer: vloc.Localizer, frames: dict[tuple[str, float], np.ndarray]
) -> None:
    tracker = vloc.Tracker(localizer)
    with pytest.raises(DataError, match="0 images, 0 cameras, 0 mounts"):
        tracker.track_rig([], [], [])
    tracker.track(frames["front", SHARES[0]], CAMERA, timestamp=5.0)
    with pytest.raises(DataError, match=r"later than the last frame's, 5.0 s, got 5.0 s"):
        tracker.track(frames["front", SHARES[1]], CAMERA, timestamp=5.0)
    with pytest.raises(DataError, match="expected a file or an array of pixels, got int"):
        tracker.track(3)
    with pytest.raises(ConfigError, match="search_px"):
        vloc.Tracker(localizer, search_px=0)
