"""Turned images, held against Pillow's, and where a pixel of them was."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from vloc.formats.image_header import QUARTER_TURNS
from vloc.geometry.quarter_turns import turned, turned_back


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_image_is_turned_as_pillow_turns_it_by_its_exif_orientation(orientation: int) -> None:
    pixels = np.arange(4 * 7 * 3, dtype=np.uint8).reshape(4, 7, 3)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    upright = turned(pixels, QUARTER_TURNS.get(orientation, 0))
    np.testing.assert_array_equal(upright, np.asarray(ImageOps.exif_transpose(image)))
    assert upright.flags.c_contiguous


@pytest.mark.parametrize("quarter_turns", range(4))
def test_every_pixel_is_found_again_where_it_was(quarter_turns: int) -> None:
    pixels = np.arange(4 * 7).reshape(4, 7)
    upright = turned(pixels, quarter_turns)
    rows, columns = np.indices(upright.shape)
    places = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32) + 0.5  # the centres of all pixels
    before = turned_back(places, quarter_turns, upright.shape)
    assert before.dtype == np.float32
    x, y = (before - 0.5).astype(int).T
    np.testing.assert_array_equal(pixels[y, x], upright.ravel())
