"""Poses in a frame that is known by hand."""

import numpy as np

from vloc.geometry.rigid import Rigid
from vloc.stages.check_results import frame_problem

CENTERS = np.array([[100.0, 0, 0], [102, 0, 0], [104, 1, 0]])


def poses(centers: np.ndarray) -> Rigid:
    return Rigid(np.tile(np.eye(3), (len(centers), 1, 1)), -centers)


def test_poses_amid_the_map_are_in_its_frame() -> None:
    assert frame_problem(poses(CENTERS + 0.5), poses(CENTERS)) == ""
    outlier = np.vstack([CENTERS, [[1e6, 0, 0]]])
    assert frame_problem(poses(outlier), poses(CENTERS)) == ""


def test_camera_to_world_poses_are_told_as_such() -> None:
    assert "write world to camera" in frame_problem(poses(CENTERS).inverse(), poses(CENTERS))


def test_poses_elsewhere_are_in_another_frame() -> None:
    # From the camera at (104, 1): hypot(4, 49), hypot(2, 49) and 50.
    problem = frame_problem(poses(CENTERS + np.array([0, 50, 0])), poses(CENTERS))
    assert "half of the poses are over 49.2 from the nearest map camera, in a map 4.12 wide" in problem
    assert "another frame" in problem
