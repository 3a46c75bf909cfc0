"""Observations of a map and the derivatives of their pixels, by hand and as slopes."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from world import FISHEYE, OPENCV

from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.observations import Observations, Projector, all_observations, sums

CAMERA = Camera("PINHOLE", 400, 300, (100.0, 100.0, 200.0, 150.0))


def map_of(camera: Camera, poses: Rigid, points: np.ndarray, shown: list[list[int]]) -> SparseMap:
    """`shown`: for every image the points of its keypoints, -1 for none."""
    offsets = np.cumsum([0, *map(len, shown)])
    rows, count = np.concatenate([np.array(row, np.int32) for row in shown]), len(shown)
    names = [f"{i}.jpg" for i in range(count)]
    errors = np.zeros(len(points), np.float32)
    return SparseMap(names, (camera,), np.zeros(count, np.int32), poses, points, errors, offsets, rows)


def test_observations_are_the_keypoints_that_show_a_point() -> None:
    sparse = map_of(CAMERA, Rigid.identity(3), np.zeros((3, 3)), [[-1, 2], [], [0, -1, 1]])
    keypoints = [
        np.array(rows, np.float32).reshape(-1, 2) for rows in ([[1, 2], [3, 4]], [], [[5, 6], [7, 8], [9, 10]])
    ]
    seen, pixels = all_observations(sparse, keypoints)
    assert seen.image.tolist() == [0, 2, 2] and seen.point.tolist() == [2, 0, 1]
    assert pixels.tolist() == [[3, 4], [5, 6], [9, 10]]


def test_derivatives_of_a_near_point_by_hand() -> None:
    sparse = map_of(CAMERA, Rigid.identity(1), np.array([[0.1, 0.2, 0.5], [0.1, 0.2, -0.5]]), [[0, 1]])
    seen = Observations(np.zeros(2, np.int32), np.arange(2, dtype=np.int32))
    found = Projector(sparse, seen).linearised(sparse.points)
    np.testing.assert_allclose(found.pixels[0], [220, 190])
    # f / z, and -f x / z^2
    np.testing.assert_allclose(found.by_point[0], [[200, 0, -40], [0, 200, -80]])
    # a turn about x moves the point by (0, -z, y), one about y by (z, 0, -x), one about z by (-y, x, 0)
    np.testing.assert_allclose(found.by_pose[0], [[-8, 104, -40, 200, 0, -40], [-116, 8, 20, 0, 200, -80]])
    assert np.isnan(found.pixels[1]).all() and not found.by_point[1].any() and not found.by_pose[1].any()


@pytest.mark.parametrize("camera", [OPENCV, FISHEYE])
def test_derivatives_are_slopes_for_every_image_and_lens(camera: Camera) -> None:
    rng, step = np.random.default_rng(0), 1e-6
    turns = Rotation.from_rotvec(rng.normal(0, 0.1, (2, 3))).as_matrix()
    poses, points = Rigid(turns, rng.normal(0, 0.2, (2, 3))), rng.uniform([-1, -1, 3], [1, 1, 6], (5, 3))
    sparse = map_of(camera, poses, points, [[0, 1, 2], [3, 4, 0]])
    seen = all_observations(sparse, [np.zeros((3, 2), np.float32)] * 2)[0]
    found = Projector(sparse, seen).linearised(points)
    for row, (image, point) in enumerate(zip(seen.image, seen.point, strict=True)):
        in_cam = poses[image].apply(points[point][None])
        moves = [Rigid(np.eye(3), poses[image].rotation @ axis) for axis in step * np.eye(3)]
        moves += [Rigid(Rotation.from_rotvec(axis).as_matrix(), np.zeros(3)) for axis in step * np.eye(3)]
        moves += [Rigid(np.eye(3), axis) for axis in step * np.eye(3)]
        slopes = [
            (project(camera, move.apply(in_cam)) - project(camera, move.inverse().apply(in_cam)))[0] / (2 * step)
            for move in moves
        ]
        expected = np.stack(slopes, axis=1)
        np.testing.assert_allclose(np.c_[found.by_point[row], found.by_pose[row]], expected, atol=1e-3)


def test_sums_of_groups_keep_their_shape_and_empty_groups_are_zero() -> None:
    values = np.arange(12.0).reshape(3, 2, 2)
    found = sums(values, np.array([2, 0, 2]), 4)
    assert found[2].tolist() == [[8, 10], [12, 14]] and found[0].tolist() == [[4, 5], [6, 7]]
    assert not found[[1, 3]].any()


def test_of_a_large_map_nothing_is_read_but_what_is_seen() -> None:
    count = 200_000
    turns, centers = np.broadcast_to(np.eye(3), (count, 3, 3)).copy(), np.zeros((count, 3))
    points, offsets = np.tile([0.0, 0.0, 2.0], (count, 1)), np.zeros(count + 1, np.int64)
    errors, nothing, camera = np.zeros(count, np.float32), np.zeros(0, np.int32), np.zeros(count, np.int32)
    names = ["0.jpg"] * count
    sparse = SparseMap(names, (CAMERA,), camera, Rigid(turns, centers), points, errors, offsets, nothing)
    seen = Observations(np.array([7, 150_000], np.int32), np.array([199_999, 3], np.int32))
    tracemalloc.start()
    pixels = Projector(sparse, seen).linearised(points).pixels
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pixels.tolist() == [[200, 150], [200, 150]]
    assert held < 1_000_000  # of 24 MB
