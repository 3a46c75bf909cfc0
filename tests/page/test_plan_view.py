"""The plan from above: its plane, and what is drawn on it."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.page.plan_view import ground_plane, plan_view

LOOKS_ALONG_Y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # world z is up, camera y is down


def poses(rotation: np.ndarray, *centers: tuple[float, float, float]) -> Rigid:
    translations = [-rotation @ np.array(center) for center in centers]
    return Rigid(np.repeat(rotation[None], len(centers), 0), np.array(translations))


def test_a_world_with_z_up_is_seen_along_z() -> None:
    assert ground_plane(poses(LOOKS_ALONG_Y, (0, 0, 0))) == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]))


def test_a_world_with_y_down_is_seen_along_y() -> None:
    plane = ground_plane(poses(np.eye(3), (0, 0, 0)))
    assert plane @ np.array([0.0, 1.0, 0.0]) == pytest.approx([0, 0])


def test_slightly_tilted_cameras_do_not_tilt_the_plan() -> None:
    angle = np.radians(5)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    assert ground_plane(poses(tilt @ LOOKS_ALONG_Y, (0, 0, 0))) == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]))


def test_the_plan_is_not_mirrored() -> None:
    plane = ground_plane(poses(LOOKS_ALONG_Y, (0, 0, 0)))
    assert np.cross(plane[0], plane[1]) == pytest.approx([0, 0, 1])


def test_the_plan_is_svg_with_the_labels_of_queries_and_the_same_each_time() -> None:
    cameras = poses(LOOKS_ALONG_Y, (0, 0, 0), (1, 0, 0), (2, 1, 0))
    points = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    camera = Camera("SIMPLE_PINHOLE", 100, 80, (100.0, 50.0, 40.0))
    sparse = SparseMap(
        ["a", "b", "c"], (camera,), np.zeros(3, np.int32), cameras, points, np.zeros(50, np.float32),
        np.zeros(4, np.int64), np.zeros(0, np.int32),
    )  # fmt: skip
    text = plan_view(sparse, {"7": cameras[0]}, {"7": cameras[0], "8": cameras[1]})
    assert text.startswith("<svg")
    assert ">7<" in text
    assert ">8<" in text
    assert plan_view(sparse, {"7": cameras[0]}, {"7": cameras[0], "8": cameras[1]}) == text
    assert ">m<" in text and ">map units<" in plan_view(sparse, {}, {}, "map units")


def test_a_map_without_points_has_a_plan() -> None:
    cameras = poses(LOOKS_ALONG_Y, (0, 0, 0))
    camera = Camera("SIMPLE_PINHOLE", 100, 80, (100.0, 50.0, 40.0))
    sparse = SparseMap(
        ["a"], (camera,), np.zeros(1, np.int32), cameras, np.zeros((0, 3)), np.zeros(0, np.float32),
        np.zeros(2, np.int64), np.zeros(0, np.int32),
    )  # fmt: skip
    assert plan_view(sparse, {}, {}).startswith("<svg")
