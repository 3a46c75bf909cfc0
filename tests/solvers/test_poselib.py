"""The door to PoseLib checks what PoseLib itself would read past or skip in silence."""

import numpy as np
import poselib as library
import pytest

from vloc.errors import DataError
from vloc.geometry.camera import CAMERA_PARAMS
from vloc.solvers import poselib

from .rigs import rig_sees
from .world import OPENCV, PINHOLE, sightings


@pytest.mark.parametrize("model", CAMERA_PARAMS)
def test_the_models_said_to_be_known_are_those_that_poselib_knows(model):
    made = library.Camera(model, [1.0] * len(CAMERA_PARAMS[model]), 10, 10)
    assert (made.model_name() == model) == (model in poselib.MODELS)


def test_unknown_options_are_refused_by_name():
    pixels, points, _, _ = sightings(PINHOLE)
    with pytest.raises(DataError, match=r"\['max_reprojection_error'\], expected some of \['dyn"):
        poselib.ransac_pose(pixels, points, PINHOLE, {"max_reprojection_error": 8.0}, {})
    with pytest.raises(DataError, match=r"\['loss'\]"):
        poselib.ransac_pose(pixels, points, PINHOLE, {}, {"loss": "CAUCHY"})


@pytest.mark.wrong_shapes
@pytest.mark.parametrize("second", [np.zeros((9, 2)), np.zeros((10, 3)), np.full((10, 2), np.nan)])
def test_matches_of_unequal_length_or_not_finite_are_refused(second):
    first = np.zeros((10, 2))
    with pytest.raises(DataError, match="matched points"):
        poselib.fundamental_inliers(first, second, {})
    with pytest.raises(DataError, match="matched points"):
        poselib.relative_pose_inliers(first, OPENCV, second, OPENCV, {})


@pytest.mark.parametrize("seed", range(5))
def test_a_rigs_pose_is_the_same_bytes_whatever_else_is_in_memory(seed):
    (views, _), rng, found = rig_sees((300, 200, 150), 0.5, 0.5, seed), np.random.default_rng(seed), set()
    for _ in range(10):
        held = [np.zeros(size) for size in rng.integers(1, 3000, 50)]
        seen = zip(*((v.points2d, v.points_in_world, v.camera, v.cam_from_rig) for v in views), strict=True)
        pose = poselib.ransac_rig_pose(*seen, {}, {})
        found.add(pose.rotation.tobytes() + pose.translation.tobytes())
    assert len(found) == 1 and held
