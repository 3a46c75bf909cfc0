"""Few points in few bytes: what is rounded, and by how much; and numbers in few bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.compact_map import compact_arrays, sparse_of_compact, with_points
from vloc.data.quantised import BITS, quantised, restored
from vloc.data.sparse_map import NO_POINT, SparseMap, full_covariances, upper_triangles
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid


@pytest.fixture
def sparse():
    """Three images of five points; the second shows point 4 by two keypoints, the third shows none."""
    rng = np.random.default_rng(0)
    roots = rng.normal(0, 1e-3, (5, 3, 3))
    return SparseMap(
        image_names=["a", "b", "c"],
        cameras=(Camera("PINHOLE", 100, 80, (90.0, 90.0, 50.0, 40.0)),),
        camera_of_image=np.zeros(3, np.int32),
        cam_from_world=Rigid.identity(3),
        points=rng.uniform(0, 100, (5, 3)) + np.array([1e5, 0, 0]),
        point_errors=np.arange(5, dtype=np.float32) / 7,
        offsets=np.array([0, 4, 8, 9]),
        point_of_keypoint=np.array([3, NO_POINT, 0, 1, 4, 4, 1, NO_POINT, NO_POINT], np.int32),
        colors=np.zeros((5, 3), np.uint8),
        point_covariances=upper_triangles(roots @ roots.transpose(0, 2, 1)),
    )


def test_what_is_left_is_what_the_chosen_images_show_of_the_chosen_points(sparse):
    smaller = with_points(sparse, np.array([4, 1, 0]), np.array([0, 1, 2]))
    assert [smaller.points_of(image).tolist() for image in range(3)] == [[1, 2], [0, 1], []]
    assert smaller.points.tolist() == sparse.points[[4, 1, 0]].tolist()
    assert smaller.track_lengths.tolist() == [1, 2, 1]
    one = with_points(sparse, np.array([4, 1, 0]), np.array([1]))
    assert (list(one.image_names), one.offsets.tolist()) == (["b"], [0, 2])
    assert not with_points(sparse, np.array([], np.int64), np.array([0])).num_observations


def test_positions_and_covariances_come_back_but_for_their_last_digits(sparse):
    smaller = with_points(sparse, np.arange(5), np.arange(3))
    again = sparse_of_compact(compact_arrays(smaller))
    assert np.abs(again.points - smaller.points).max() < 1e-5
    assert again.point_of_keypoint.tolist() == smaller.point_of_keypoint.tolist()
    assert again.colors is None
    assert np.abs(again.point_errors - smaller.point_errors).max() < 1e-3
    ours, theirs = full_covariances(smaller.point_covariances), full_covariances(again.point_covariances)
    assert np.abs(ours - theirs).max() < 2e-3 * np.abs(ours).max()


def test_rounded_covariances_have_no_negative_variance(sparse):
    flat = np.zeros((5, 3, 3))
    flat[:, 0, 0], flat[1] = [1e-12, 0, 1e-4, 1e6, np.inf], np.outer([1, 2, 3], [1, 2, 3])
    again = sparse_of_compact(compact_arrays(replace(sparse, point_covariances=upper_triangles(flat))))
    assert np.isfinite(again.point_covariances).all()
    assert np.linalg.eigvalsh(full_covariances(again.point_covariances)).min() > -1e-4


@given(st.integers(0, 5), st.integers(1, 20), st.sampled_from(BITS))
def test_numbers_in_few_bits_are_as_near_as_these_allow(num_rows, dims, bits):
    rows = np.random.default_rng(dims).normal(0, 3, (num_rows, dims)).astype(np.float32)
    stored = quantised(rows, bits)
    assert stored["codes"].shape == (num_rows, -(-dims * bits // 8))
    again = restored(stored)
    assert again.shape == rows.shape
    steps = stored["steps"][:, None]
    inside = np.abs(rows) < (2 ** (bits - 1) - 0.01) * steps
    assert (np.abs(again - rows)[inside] <= 0.501 * np.broadcast_to(steps, rows.shape)[inside]).all()
    assert ((np.sign(again) == np.sign(rows)) | (np.abs(rows) < 1e-3)).all()


def test_rows_of_zeros_stay_so():
    for bits in BITS:
        assert not restored(quantised(np.zeros((2, 3), np.float32), bits)).any()
