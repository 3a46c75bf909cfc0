"""The door to pycolmap lets nothing through that would crash it or pass unseen."""

import subprocess
import sys

import numpy as np
import pytest
from world import random_pose

from vloc.errors import DataError
from vloc.geometry.camera import CAMERA_PARAMS, Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.colmap import (
    check_intrinsics,
    check_keypoints,
    check_matches,
    colmap_camera,
    colmap_pose,
    pycolmap,
    vloc_camera,
)


@pytest.mark.parametrize("model", CAMERA_PARAMS)
def test_every_camera_model_goes_there_and_back(model):
    camera = Camera(model, 640, 480, tuple(100.0 + i for i in range(len(CAMERA_PARAMS[model]))))
    assert vloc_camera(colmap_camera(camera)) == camera


def test_a_pose_keeps_its_meaning():
    pose, point = random_pose(np.random.default_rng(0)), np.array([1.0, 2.0, 3.0])
    assert np.allclose(colmap_pose(pose) * point, pose.apply(point))


def test_a_camera_without_intrinsics_is_refused():
    with pytest.raises(DataError, match="expected intrinsics"):
        colmap_camera(Camera("UNKNOWN_CAMERA", 640, 480))


def test_a_pose_that_is_not_finite_is_refused():
    with pytest.raises(DataError, match="finite"):
        colmap_pose(Rigid(np.eye(3), np.array([0.0, np.nan, 0.0])))


@pytest.mark.wrong_shapes
@pytest.mark.parametrize(
    ("pair", "matches", "message"),
    [
        (
            (0, 1),
            np.array([[0, 5], [4, 1], [2, 2]], np.uint32),
            r"pair \(0, 1\): matches name keypoints \[0 1\] to \[4 5\] of",
        ),
        ((1, 0), np.array([[5, 0]], np.uint32), r"pair \(1, 0\): matches name keypoints"),
        ((0, 1), np.array([[-1, 0]], np.int64), r"pair \(0, 1\): matches name keypoints"),
        ((0, 1), np.array([[0.0, 1.0]]), "expected integers"),
        ((0, 1), np.array([0, 1], np.uint32), r"expected integers \(m, 2\)"),
        ((0, 0), np.array([[0, 1]], np.uint32), "two different images"),
        ((0, 2), np.array([[0, 1]], np.uint32), "two different images of 2"),
    ],
)
def test_matches_that_cannot_be_are_refused_with_their_pair(pair, matches, message):
    with pytest.raises(DataError, match=message):
        check_matches(pair, matches, [5, 5])


@pytest.mark.wrong_shapes
def test_keypoints_that_cannot_be_are_refused_with_their_image():
    with pytest.raises(DataError, match=r"a.jpg: keypoints of shape \(4, 3\)"):
        check_keypoints("a.jpg", np.zeros((4, 3), np.float32))
    with pytest.raises(DataError, match=r"a.jpg: keypoints that are not finite"):
        check_keypoints("a.jpg", np.full((4, 2), np.nan, np.float32))


def test_an_image_without_intrinsics_is_refused_by_name():
    with pytest.raises(DataError, match=r"a.jpg: triangulation needs intrinsics"):
        check_intrinsics("a.jpg", Camera("UNKNOWN_CAMERA", 9, 9))


def test_a_sigterm_handler_set_before_survives_the_import():
    program = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("handled"), sys.exit(3)))
from vloc.solvers.colmap import pycolmap
pycolmap()
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "handled\n")


def test_the_log_is_silent(capfd):
    pycolmap().logging.info("should not be seen")
    pycolmap().logging.warning("should not be seen")
    assert capfd.readouterr().err == ""
