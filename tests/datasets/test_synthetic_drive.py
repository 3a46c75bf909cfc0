"""The drive: what is blind, where its poses are true, and how its odometry drifts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from vloc.datasets import synthetic_drive
from vloc.datasets.gallery_cameras import rig_cameras
from vloc.datasets.synthetic_drive import DriveConfig, blinded
from vloc.datasets.synthetic_gallery import GalleryConfig, render, world

import vloc
from vloc.formats.results import read_poses
from vloc.geometry.rigid import Rigid

GALLERY = GalleryConfig(num_images=7, num_queries=2, image_size=(160, 120), seed=3)
DRIVE = DriveConfig(num_instants=6, blind=0.5, dark_instants=1 / 6)


def test_photos_are_where_their_true_poses_say_and_as_many_as_told_are_blind(tmp_path: Path) -> None:
    synthetic_drive.drive_through(tmp_path, GALLERY, DRIVE)
    capture, truth = vloc.read(tmp_path / "drive"), read_poses(tmp_path / "drive_truth.txt")
    blind, place, cameras = blinded(GALLERY, DRIVE), world(GALLERY), rig_cameras(GALLERY.image_size)
    assert len(capture.images) == 18 and len(blind) == 9 and not capture.has_pose.any()
    assert any({f"{camera}/{i:06d}.jpg" for camera in cameras} <= blind for i in range(6))
    for name in capture.images.names:
        photo = cv2.imread(str(tmp_path / "drive" / "sensors" / "records_data" / name), cv2.IMREAD_GRAYSCALE)
        drawn, _ = render(place, cameras[capture.device(name)], truth[name])
        likeness = np.corrcoef(photo.ravel(), drawn.mean(axis=2).ravel())[0, 1] if photo.std() > 2 else 0.0
        assert (likeness > 0.9 and photo.std() > 10) == (name not in blind), name


def test_three_photos_are_taken_at_one_time_by_one_rig(tmp_path: Path) -> None:
    synthetic_drive.drive_through(tmp_path, GALLERY, DRIVE)
    capture = vloc.read(tmp_path / "drive")
    times, counts = np.unique(capture.images.timestamps, return_counts=True)
    assert len(times) == 6 and (counts == 3).all() and (np.diff(times) == synthetic_drive.STEP_NS).all()


def test_odometry_goes_along_the_true_path_and_drifts(tmp_path: Path) -> None:
    synthetic_drive.drive_through(tmp_path, GALLERY, DriveConfig(num_instants=40, blind=0, dark_instants=0))
    truth = [pose for name, pose in read_poses(tmp_path / "drive_truth.txt").items() if name.startswith("front")]
    rows = np.array([line.split() for line in (tmp_path / "drive_odometry.txt").read_text().splitlines()], float)
    odometry = [Rigid.from_quat_wxyz(row[[7, 4, 5, 6]], row[1:4]).inverse() for row in rows]
    steps = [
        (after @ before.inverse()) @ (after_odo @ before_odo.inverse()).inverse()
        for before, after, before_odo, after_odo in zip(truth, truth[1:], odometry, odometry[1:], strict=False)
    ]
    slips = np.array([step.translation for step in steps])
    assert 0.5 < slips.std() / synthetic_drive.DRIFT_M < 1.5
