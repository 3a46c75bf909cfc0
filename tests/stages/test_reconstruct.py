"""Three unposed cameras in a row and a relief of whole numbers: known up to where, how large and which way up it is."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.sparse_map import NO_POINT, SparseMap
from vloc.geometry.camera import Camera
from vloc.runtime import Runtime
from vloc.solvers.sfm import SfmConfig
from vloc.stages.reconstruct import RECONSTRUCT
from vloc.stages.verify import View

from .two_views import LONG, WIDE, features_at, matches_of

NAMES = ["right", "far", "left"]
WHERE = {"left": 0, "right": 2, "far": 4}  # x of each camera; all look along z
FOCAL = {"left": 100, "right": 200, "far": 100}
RELIEF = [(x, y, 8 + (x * x + 2 * y) % 5) for x in range(-4, 9) for y in range(-4, 5)]
COUNT = len(RELIEF)
STRAY = 7
"""rows before a camera's first point that show nothing"""


def pixels(name: str) -> list[tuple[float, float]]:
    """x = cx + f (X - camera's x) / Z, after stray keypoints; the second camera lists the points backwards."""
    f, at, points = FOCAL[name], WHERE[name], RELIEF[::-1] if name == "right" else RELIEF
    return [(5.0, 5.0)] * STRAY + [(200 + f * (x - at) / z, 150 + f * y / z) for x, y, z in points]


FEATURES = {name: features_at(pixels(name)) for name in NAMES}
SAME = [(STRAY + i, STRAY + i) for i in range(COUNT)]
REVERSED = [(STRAY + i, STRAY + COUNT - 1 - i) for i in range(COUNT)]
MATCHES = {("left", "right"): matches_of(*REVERSED), ("right", "far"): matches_of(*REVERSED)}
MATCHES["left", "far"] = matches_of(*SAME)


def reconstructed(config: SfmConfig, wide: Camera = WIDE, guessed: str = "") -> SparseMap:
    views = {"left": View(wide, None, guessed), "right": View(LONG, None), "far": View(wide, None, guessed)}
    return RECONSTRUCT.run(config, Runtime(), NAMES, views, FEATURES, MATCHES, 0, None)


def assert_is_the_relief(sparse: SparseMap, tolerance: float) -> None:
    """Inner products of all points as the left camera sees them, in units of its distance from the far one."""
    row = {name: NAMES.index(name) for name in NAMES}
    left, far = (sparse.cam_from_world[row[name]].center for name in ("left", "far"))
    found = (sparse.points[sparse.points_of(row["left"])[STRAY:]] - left) / np.linalg.norm(far - left)
    truth = np.array(RELIEF) / 4.0
    np.testing.assert_allclose(found @ found.T, truth @ truth.T, atol=tolerance)
    middle = sparse.cam_from_world[row["right"]].center
    np.testing.assert_allclose(middle, (left + far) / 2, atol=tolerance * np.linalg.norm(far - left))


def test_points_and_cameras_have_the_proportions_of_the_relief() -> None:
    sparse = reconstructed(SfmConfig(refine_intrinsics=False))
    assert list(sparse.image_names) == NAMES and [sparse.camera(row) for row in range(3)] == [LONG, WIDE, WIDE]
    assert_is_the_relief(sparse, 1e-3)


def test_every_keypoint_shows_its_own_point_and_stray_ones_none() -> None:
    sparse = reconstructed(SfmConfig(refine_intrinsics=False))
    right, far, left = (sparse.points_of(row) for row in range(3))
    assert len(sparse.points) == COUNT == len(set(left[STRAY:]))
    assert list(left) == list(far) == [NO_POINT] * STRAY + list(right[STRAY:][::-1])
    assert (right[:STRAY] == NO_POINT).all()


def test_a_wrongly_guessed_focal_length_is_found_beside_a_measured_one() -> None:
    guess = Camera("PINHOLE", 400, 300, (130.0, 130.0, 200.0, 150.0))
    sparse = reconstructed(SfmConfig(), guess, guessed="phone")
    assert sparse.camera(2).focal == pytest.approx((100, 100), rel=1e-2)
    assert sparse.camera(0).focal == pytest.approx((200, 200), rel=1e-2)
    assert_is_the_relief(sparse, 0.2)


def test_devices_of_the_same_guess_are_cameras_of_their_own() -> None:
    """The middle camera is of another device than the outer ones, and has twice their focal length."""
    guess = Camera("PINHOLE", 400, 300, (130.0, 130.0, 200.0, 150.0))
    views = {name: View(guess, None, "tablet" if name == "right" else "phone") for name in NAMES}
    sparse = RECONSTRUCT.run(SfmConfig(), Runtime(), NAMES, views, FEATURES, MATCHES, 0, None)
    ratio = sparse.camera(NAMES.index("right")).focal[0] / sparse.camera(NAMES.index("left")).focal[0]
    assert ratio == pytest.approx(2, rel=0.2)
    assert sparse.camera(NAMES.index("left")) == sparse.camera(NAMES.index("far"))
