"""Turned images, held against Pillow's, and where a pixel of them was."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from vloc.formats.image_header import QUARTER_TURNS
from vloc.geometry.quarter_turns import angles_turned_back, turned, turned_back, wrapped


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


@pytest.mark.parametrize("quarter_turns", range(4))
def test_a_direction_points_where_the_places_along_it_lie(quarter_turns: int) -> None:
    angles = np.array([0.0, 1.0, 3.0, -2.5], np.float32)
    start = np.full((4, 2), 3.0, np.float32)
    along = start + np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x, y = (turned_back(along, quarter_turns, (9, 7)) - turned_back(start, quarter_turns, (9, 7))).T
    np.testing.assert_allclose(angles_turned_back(angles, quarter_turns), np.arctan2(y, x), atol=1e-5)


def test_angles_are_wrapped_to_half_a_turn_either_way() -> None:
    angles = np.radians(np.array([0, 90, 180, 181, 359, 360, -180, -181, 540], np.float32))
    expected = [0, 90, 180, -179, -1, 0, 180, 179, 180]
    np.testing.assert_allclose(np.degrees(wrapped(angles)), expected, atol=1e-3)
