"""Poses of rigs refined on guided matches, in a world with exact truth."""

import numpy as np
import pytest

from vloc.data.rig_estimate import RigEstimate
from vloc.data.selection import Correspondences
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.solvers.pnp import PnpConfig
from vloc.stages.refine import RefineConfig
from vloc.stages.rigs import Seen, refine_rig

from .test_refine import CAMERA, TRUTH, registered, world


@pytest.mark.parametrize(("count", "remains"), [(30, 0.4), (100, 0.0)])
def test_by_few_matches_of_all_cameras_together_a_rig_stays_in_part_as_unsure_as_it_was(
    count: int, remains: float
) -> None:
    """Two cameras of one mount; what they see is shared between them."""
    features, shown, images, sparse = world()
    matches = Correspondences(shown, shown, np.ones(len(shown), np.float32), np.zeros_like(shown))
    rows = np.arange(count), np.arange(count, 2 * count)
    seen = [Seen(CAMERA, Rigid.identity(), features[own], matches, 1.0) for own in rows]
    start = RigEstimate(registered().cam_from_world, np.array([[20, 25, 0]] * 2), np.eye(6))
    found = refine_rig(RefineConfig(), PnpConfig(), start, seen, images, sparse)
    assert found.counts[:, 2].tolist() == [count, count] and max(pose_errors(found.rig_from_world, TRUTH)) < 1e-4
    np.testing.assert_allclose(found.covariance, remains * np.eye(6), atol=1e-6)
