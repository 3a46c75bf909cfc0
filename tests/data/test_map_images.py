"""What map images show."""

import numpy as np

from vloc.data.features import LocalFeatures
from vloc.data.map_images import MapImages
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid


def test_an_image_shows_its_keypoints_that_have_a_point():
    rows = np.arange(4, dtype=np.float32)
    features = LocalFeatures(np.c_[rows, rows], np.arange(8, dtype=np.uint8).reshape(4, 2), rows, rows)
    other = LocalFeatures(*(values[:0] for values in (features.keypoints, features.descriptors, rows, rows)))
    sparse = SparseMap(
        ["a.jpg", "b.jpg"],
        (Camera("PINHOLE", 10, 10, (9.0, 9.0, 5.0, 5.0)),),
        np.zeros(2, np.int32),
        Rigid.identity(2),
        np.zeros((3, 3)),
        np.zeros(3, np.float32),
        np.array([0, 0, 4]),
        np.array([2, -1, -1, 0], np.int32),
    )
    shown = MapImages({"a.jpg": other, "b.jpg": features}, sparse)
    assert shown(1).points.tolist() == [2, 0] and shown(1).features.scores.tolist() == [0, 3]
    assert len(shown(0).points) == 0 and shown(1) is shown(1)


def test_the_128_images_used_last_stay_in_memory():
    count = 129
    names = [f"{i:03}.jpg" for i in range(count)]
    none = np.zeros(0, np.float32)
    nothing = LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.uint8), none, none)
    sparse = SparseMap(
        names,
        (Camera("PINHOLE", 10, 10, (9.0, 9.0, 5.0, 5.0)),),
        np.zeros(count, np.int32),
        Rigid.identity(count),
        np.zeros((0, 3)),
        none,
        np.zeros(count + 1, np.int64),
        np.zeros(0, np.int32),
    )
    shown = MapImages(dict.fromkeys(names, nothing), sparse)
    first = [shown(image) for image in range(128)]
    assert all(shown(image) is first[image] for image in range(128))
    shown(128)
    assert shown(1) is first[1] and shown(0) is not first[0]  # of which the first was used longest ago


def test_lengths_of_descriptors_are_one_where_there_is_nothing_to_measure():
    none = np.zeros(3, np.float32)
    features = LocalFeatures(np.c_[none, none], np.array([[3, 4], [0, 0], [255, 0]], np.uint8), none, none)
    assert features.lengths.tolist() == [5, 1, 255]


def test_keypoints_that_tell_their_orientation_are_arrows_at_their_points():
    rows = np.arange(3, dtype=np.float32)
    features = LocalFeatures(np.c_[rows, rows], np.ones((3, 2), np.uint8), rows, rows + 1, 0, np.float32([0, 0, np.pi]))
    sparse = SparseMap(
        ["a.jpg"],
        (Camera("PINHOLE", 10, 10, (10.0, 10.0, 5.0, 5.0)),),
        np.zeros(1, np.int32),
        Rigid.identity(1),
        np.array([[0, 0, 1.0], [0, 0, 5.0]]),
        np.zeros(2, np.float32),
        np.array([0, 3]),
        np.array([1, -1, 0], np.int32),
    )
    shown = MapImages({"a.jpg": features}, sparse)(0)
    np.testing.assert_allclose(shown.arrows, [[0.5, 0, 0], [-0.3, 0, 0]], atol=1e-6)  # 1 px at 5 m, 3 px at 1 m
    last = shown[1:]
    assert last.points.tolist() == [0] and len(last.features) == len(last.arrows) == 1
