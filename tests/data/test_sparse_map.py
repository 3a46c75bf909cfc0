"""The map's arrays: counts by hand, and a round trip through the stored form."""

from dataclasses import replace

import numpy as np

from vloc.data.sparse_map import NO_POINT, SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

PINHOLE = Camera("PINHOLE", 10, 20, (np.float64(0.1), 5.0, 1 / 3, 5.0))


def small_map(names=("a.jpg", "b ü.jpg"), cameras=(PINHOLE,)):
    return SparseMap(
        list(names),
        cameras,
        np.zeros(2, np.int32),
        Rigid.identity(2),
        np.arange(6.0).reshape(2, 3),
        np.array([0.5, 2.0], np.float32),
        np.array([0, 3, 5]),
        np.array([0, NO_POINT, 1, 1, NO_POINT], np.int32),
    )


def test_counts_are_those_of_a_map_counted_by_hand():
    sparse = small_map()
    assert sparse.num_observations == 3 and sparse.track_lengths.tolist() == [1, 2]
    assert sparse.points_of(0).tolist() == [0, NO_POINT, 1] and sparse.points_of(1).tolist() == [1, NO_POINT]
    assert sparse.mean_error == (0.5 * 1 + 2.0 * 2) / 3
    assert sparse.row_of == {"a.jpg": 0, "b ü.jpg": 1}
    assert repr(sparse) == "SparseMap(2 images, 2 points, 3 observations)"


def test_the_mean_error_of_one_observation_is_its_own_and_of_none_is_zero():
    shown = np.full(5, NO_POINT, np.int32)
    assert replace(small_map(), point_of_keypoint=shown).mean_error == 0
    shown[2] = 1
    assert replace(small_map(), point_of_keypoint=shown).mean_error == 2


def test_arrays_and_back_is_the_same_map():
    sparse = small_map()
    back = SparseMap.from_arrays(sparse.to_arrays())
    assert back.image_names == sparse.image_names and back.cameras == sparse.cameras
    assert all(np.array_equal(value, sparse.to_arrays()[name]) for name, value in back.to_arrays().items())


def test_what_a_point_is_seen_by_is_listed_in_the_order_of_the_points_asked_for():
    images, which = small_map().observations_of(np.array([1, 0, 1], np.int32))
    assert images.tolist() == [0, 1, 0, 0, 1] and which.tolist() == [0, 0, 1, 2, 2]
    assert [len(part) for part in small_map().observations_of(np.zeros(0, np.int32))] == [0, 0]


def test_uncertainties_survive_the_round_trip():
    covariances, noise = np.arange(12, dtype=np.float32).reshape(2, 6), np.array([1e-3, 2e-3])
    back = SparseMap.from_arrays(replace(small_map(), point_covariances=covariances, pose_noise=noise).to_arrays())
    assert np.array_equal(back.point_covariances, covariances) and np.array_equal(back.pose_noise, noise)


def test_covariances_are_symmetric_and_those_of_the_points_asked_for():
    sparse = replace(small_map(), point_covariances=np.arange(12, dtype=np.float32).reshape(2, 6))
    first, second = sparse.covariances_of(np.array([1, 0]))
    assert first.tolist() == [[6, 7, 8], [7, 9, 10], [8, 10, 11]] and second[1].tolist() == [1, 3, 4]
    assert not small_map().covariances_of(np.array([1, 0])).any()


def test_a_camera_without_intrinsics_survives_the_round_trip():
    sparse = small_map(cameras=(Camera("UNKNOWN_CAMERA", 7, 8),))
    assert SparseMap.from_arrays(sparse.to_arrays()).cameras == sparse.cameras


def test_an_empty_map_survives_the_round_trip():
    none = np.zeros(0, np.int32)
    points, errors, offsets = np.zeros((0, 3)), np.zeros(0, np.float32), np.zeros(1, np.int64)
    sparse = SparseMap([], (), none, Rigid.identity(0), points, errors, offsets, none)
    back = SparseMap.from_arrays(sparse.to_arrays())
    assert back.image_names == [] and back.num_observations == 0 and back.mean_error == 0


def test_colours_go_through_the_stored_form_where_there_are_any():
    colored = replace(small_map(), colors=np.array([[1, 2, 3], [255, 0, 9]], np.uint8))
    np.testing.assert_array_equal(SparseMap.from_arrays(colored.to_arrays()).colors, colored.colors)
    assert SparseMap.from_arrays(small_map().to_arrays()).colors is None
