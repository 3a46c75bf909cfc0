"""Keypoints at blobs whose places are known, image after image."""

from __future__ import annotations

import cv2
import numpy as np

from vloc.data.features import LocalFeatures
from vloc.features.sift import Sift
from vloc.runtime import Runtime
from vloc.stages.extract import EXTRACT
from vloc.stages.images import Photo


def blob(x: float, y: float) -> np.ndarray:
    """A bright spot of 4 px; the first pixel is centred at (0.5, 0.5)."""
    columns, rows = np.meshgrid(np.arange(120) + 0.5, np.arange(100) + 0.5)
    return (40 + 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 4.0**2))).astype(np.uint8)


def test_each_image_gets_its_own_features_in_order() -> None:
    cv2.setRNGSeed(0)
    places = [(40.0, 60.0), (70.25, 30.75)]
    images = [blob(*places[0]), np.full((100, 120), 128, np.uint8), blob(*places[1])]
    first, nothing, second = EXTRACT.start(Sift(), Runtime())(Photo(image, 0) for image in images)
    assert len(nothing) == 0
    for features, place in zip((first, second), places, strict=True):
        np.testing.assert_allclose(features.keypoints[0], place, atol=0.1)
        np.testing.assert_allclose(features.scales[0], 4.0, rtol=0.15)


def test_keypoints_of_a_turned_photo_are_of_the_photo_as_stored() -> None:
    cv2.setRNGSeed(0)
    stored = blob(70.25, 30.75)
    photos = [Photo(np.ascontiguousarray(np.rot90(stored, -turns)), turns) for turns in range(4)]
    for turns, features in enumerate(EXTRACT.start(Sift(), Runtime())(iter(photos))):
        np.testing.assert_allclose(features.keypoints[0], (70.25, 30.75), atol=0.1)
        assert features.quarter_turns == LocalFeatures.from_arrays(features.to_arrays()).quarter_turns == turns


def test_orientations_in_a_turned_photo_are_those_of_the_photo_as_stored() -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, (150, 190)), (0, 0), 2.5)
    stored = np.rint(np.interp(noise, (noise.min(), noise.max()), (0, 255))).astype(np.uint8)
    photos = [Photo(np.ascontiguousarray(np.rot90(stored, -turns)), turns) for turns in range(4)]
    lying, *others = EXTRACT.start(Sift(), Runtime())(iter(photos))
    for features in others:
        apart = np.linalg.norm(lying.keypoints[:, None] - features.keypoints, axis=2)
        turned = np.abs(np.angle(np.exp(1j * (lying.angles - features.angles[apart.argmin(axis=1)]))))
        assert ((apart.min(axis=1) < 0.3) & (turned < 0.1)).mean() > 0.7  # where a keypoint has two, either may be met
