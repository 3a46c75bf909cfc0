"""Scales and orientations carried between images: plane by plane, by hand, and by projecting their ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.arrows import arrows_in_world, arrows_of
from vloc.geometry.camera import Camera
from vloc.geometry.projection import by_point_in_world, project
from vloc.geometry.rigid import Rigid

PINHOLE = Camera("PINHOLE", 200, 100, (100.0, 100.0, 100.0, 50.0))
BENT = Camera("OPENCV_FISHEYE", 200, 100, (90.0, 110.0, 95.0, 52.0, 0.1, -0.02, 0.003, 0.001))
POSE = Rigid(Rotation.from_rotvec([0.2, -0.3, 0.4]).as_matrix(), np.array([0.1, -0.2, 0.3]))


def seen(camera: Camera, pose: Rigid, points: np.ndarray, arrows: np.ndarray) -> np.ndarray:
    return np.einsum("ajn,nj->an", by_point_in_world(camera, pose, points), arrows)


def test_an_arrow_is_as_long_as_its_scale_at_the_distance_of_its_point() -> None:
    scales, angles = np.array([3, 3], np.float32), np.array([0, np.pi / 2], np.float32)
    arrows = arrows_in_world(
        PINHOLE, Rigid.identity(), np.array([[0.5, 0, 2.0], [0, 1, 4.0]]), arrows_of(scales, angles)
    )
    np.testing.assert_allclose(arrows, [[0.06, 0, 0], [0, 0.12, 0]], atol=1e-7)


def test_from_twice_as_far_and_turned_a_point_looks_half_as_large_and_turned() -> None:
    point, arrow = np.array([[0, 0, 2.0]]), np.array([[0.06, 0, 0]])
    rolled = Rigid(Rotation.from_euler("z", 30, degrees=True).as_matrix(), np.array([0, 0, 2.0]))
    (x,), (y,) = seen(PINHOLE, rolled, point, arrow)
    assert np.hypot(x, y) == pytest.approx(1.5) and np.degrees(np.arctan2(y, x)) == pytest.approx(30)


@pytest.mark.parametrize("camera", [PINHOLE, BENT])
def test_an_image_shows_its_own_arrows_as_they_were_and_their_ends_project_there(camera: Camera) -> None:
    rng = np.random.default_rng(0)
    points = POSE.inverse().apply(rng.uniform([-1, -1, 2], [1, 1, 4], (20, 3)))
    own = arrows_of(rng.uniform(1, 9, 20).astype(np.float32), rng.uniform(-3, 3, 20).astype(np.float32))
    arrows = arrows_in_world(camera, POSE, points, own)
    np.testing.assert_allclose(seen(camera, POSE, points, arrows), own, rtol=1e-5, atol=1e-5)
    moved = project(camera, POSE.apply(points + 1e-6 * arrows)) - project(camera, POSE.apply(points))
    np.testing.assert_allclose(1e6 * moved.T, own, rtol=1e-3, atol=1e-3)
