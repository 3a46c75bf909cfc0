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


def test_lengths_of_descriptors_are_one_where_there_is_nothing_to_measure():
    none = np.zeros(3, np.float32)
    features = LocalFeatures(np.c_[none, none], np.array([[3, 4], [0, 0], [255, 0]], np.uint8), none, none)
    assert features.lengths.tolist() == [5, 1, 255]
