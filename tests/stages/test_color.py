"""Colours of points, on images whose every pixel is known."""

import numpy as np
from PIL import Image

from vloc.data.features import KeypointColors
from vloc.data.sparse_map import NO_POINT, SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.stages.color import mean_colors, sample

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_a_keypoint_has_the_colour_of_the_pixel_that_it_lies_in() -> None:
    keypoints = np.array([[0.5, 0.5], [5.99, 3.0], [2.0, 1.99], [6.0, 4.0]], np.float32)  # the last: at the very corner
    found = sample(PIXELS, keypoints, (6, 4)).rgb
    np.testing.assert_array_equal(found, [PIXELS[0, 0], PIXELS[3, 5], PIXELS[1, 2], PIXELS[3, 5]])


def test_a_reduced_image_gives_the_colours_of_the_full_one_where_it_is_smooth() -> None:
    x, y = np.meshgrid(np.linspace(0, 255, 640), np.linspace(0, 255, 480))
    full = np.stack([x, y, (x + y) / 2], axis=2).astype(np.uint8)
    reduced = np.asarray(Image.fromarray(full).reduce(4))
    keypoints = np.random.default_rng(0).uniform([0, 0], [640, 480], (500, 2)).astype(np.float32)
    apart = sample(reduced, keypoints, (640, 480)).rgb.astype(int) - sample(full, keypoints, (640, 480)).rgb
    assert np.abs(apart).max() <= 2


def test_a_point_has_the_mean_over_the_keypoints_that_show_it() -> None:
    sparse = SparseMap(
        ["a", "b", "c"],
        (Camera("PINHOLE", 6, 4, (5.0, 5.0, 3.0, 2.0)),),
        np.zeros(3, np.int32),
        Rigid.identity(3),
        np.zeros((3, 3)),
        np.zeros(3, np.float32),
        np.array([0, 2, 4, 5]),
        np.array([0, NO_POINT, 0, 1, 2], np.int32),
    )
    colors = {
        "a": KeypointColors(np.array([[10, 20, 30], [99, 99, 99]], np.uint8)),
        "b": KeypointColors(np.array([[20, 30, 255], [1, 2, 3]], np.uint8)),
    }
    # point 0: (10 + 20) / 2, (20 + 30) / 2, (30 + 255) / 2, to even; only image c, which is not there, shows point 2
    np.testing.assert_array_equal(mean_colors(sparse, colors), [[15, 25, 142], [1, 2, 3], [0, 0, 0]])
