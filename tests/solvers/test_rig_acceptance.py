"""What speaks for a rig's pose: for one camera what speaks for its own, and no less because others are blind."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.acceptance import weigh
from vloc.solvers.generalized_pose import RigPose, View, generalized_pose
from vloc.solvers.pnp import PnpConfig
from vloc.solvers.rig_acceptance import weigh_rig

from .rigs import rig_sees
from .world import PINHOLE, sightings

CONFIG = PnpConfig()


def blind(view: View, seed: int = 1) -> View:
    return replace(view, points2d=np.random.default_rng(seed).uniform(0, [1000, 800], view.points2d.shape))


def images_of(views: list[View]) -> list[np.ndarray]:
    return [np.arange(len(view.points2d), dtype=np.int32) % 3 for view in views]


def test_one_camera_has_the_evidence_that_it_has_alone() -> None:
    pixels, points, *_ = sightings(PINHOLE, 120, noise=0.5, outliers=0.4)
    images = np.arange(120, dtype=np.int32) % 3
    expected = weigh(pixels, points, images, absolute_pose(pixels, points, PINHOLE, CONFIG), 8.0, 0)
    views = [View(pixels, points, PINHOLE, Rigid.identity())]
    found = weigh_rig(views, [images], generalized_pose(views, CONFIG), 8.0, 0)
    np.testing.assert_allclose(astuple(found), astuple(expected), rtol=1e-3)


def test_a_blind_camera_takes_nothing_from_what_another_sees() -> None:
    views, _ = rig_sees((100, 100), noise=0.5)
    alone = weigh_rig(views[:1], images_of(views[:1]), generalized_pose(views[:1], CONFIG), 8.0, 0)
    both = [views[0], blind(views[1])]
    found = weigh_rig(both, images_of(both), generalized_pose(both, CONFIG), 8.0, 0)
    assert found.agreement == pytest.approx(alone.agreement, abs=0.02) and found.coverage >= alone.coverage
    assert found.log10_false_alarms < -100 and found.rival == 0


def test_two_cameras_that_see_make_a_pose_surer_than_one() -> None:
    views, _ = rig_sees((60, 60), noise=0.5)
    one, two = (weigh_rig(part, images_of(part), generalized_pose(part, CONFIG), 8.0, 0) for part in (views[:1], views))
    assert two.log10_false_alarms < one.log10_false_alarms and two.relative_error < one.relative_error


def test_errors_in_a_larger_picture_are_weighed_by_its_size() -> None:
    views, _ = rig_sees((60, 60), noise=0.5)
    pose = generalized_pose(views, CONFIG)
    twice = replace(views[1].camera, width=2000, height=1600)
    larger = [views[0], replace(views[1], camera=twice)]
    small, large = (weigh_rig(part, images_of(part), pose, 8.0, 0) for part in (views, larger))
    assert large.log10_false_alarms < small.log10_false_alarms


def test_a_pose_elsewhere_that_the_rest_agrees_with_is_a_rival() -> None:
    here, there = (rig_sees((100, 100), noise=0.3, seed=seed) for seed in (0, 1))
    views = [
        View(
            np.concatenate([a.points2d, b.points2d[:60]]),
            np.concatenate([a.points_in_world, b.points_in_world[:60]]),
            a.camera,
            a.cam_from_rig,
        )
        for a, b in zip(here[0], there[0], strict=True)
    ]
    found = weigh_rig(views, images_of(views), generalized_pose(views, CONFIG), 8.0, 0)
    assert found.rival == pytest.approx(0.6, abs=0.05)


def test_without_a_pose_there_is_nothing_to_weigh() -> None:
    views, _ = rig_sees((20,))
    with pytest.raises(DataError, match="no pose was found"):
        weigh_rig(views, images_of(views), RigPose(None, ()), 8.0, 0)
