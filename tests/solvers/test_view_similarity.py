"""Photos against views that are the same, otherwise lit, moved, blank or known in part."""

from __future__ import annotations

import numpy as np

from vloc.data.view import ViewSimilarity
from vloc.solvers.view_similarity import view_similarity
from vloc.solvers.view_synthesis import SynthesizedView

SHAPE = 120, 160
ALL = np.ones(SHAPE, bool)


def texture(seed: int = 0) -> np.ndarray:
    """Blurred noise."""
    import cv2

    noise = np.random.default_rng(seed).normal(size=(SHAPE[0], SHAPE[1] + 40)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return (128 + 40 * blurred / blurred.std()).clip(1, 255).astype(np.uint8)


PHOTO = texture()[:, :160]


def like(view: np.ndarray, is_known: np.ndarray = ALL, photo: np.ndarray = PHOTO) -> ViewSimilarity:
    return view_similarity(photo, SynthesizedView(view, is_known))


def test_a_photo_is_like_itself_whatever_its_light() -> None:
    assert like(PHOTO) == ViewSimilarity(1.0, 1.0)
    dim = (PHOTO * 0.4 + 20).round().astype(np.uint8)
    assert like(dim).similarity > 0.99


def test_what_is_moved_or_another_is_less_alike() -> None:
    near, far, other = (like(x).similarity for x in (texture()[:, 2:162], texture()[:, 8:168], texture(1)[:, :160]))
    assert 0.97 > near > 0.85 > 0.8 > far
    assert abs(far - other) < 0.1


def test_only_what_is_known_is_compared() -> None:
    half = ALL.copy()
    half[:, :80] = False
    mixed = np.where(half, PHOTO, texture(1)[:, :160])
    found = like(mixed, half)
    assert found.similarity > 0.999 and 0.42 < found.share < 0.5
    assert like(PHOTO, ~ALL) == ViewSimilarity(0.0, 0.0)


def test_single_holes_are_filled() -> None:
    holes = np.random.default_rng(3).random(SHAPE) < 0.04
    found = like(np.where(holes, 0, PHOTO).astype(np.uint8), ~holes)
    assert found.similarity > 0.99 and found.share > 0.95
    assert like(np.where(holes, 0, PHOTO).astype(np.uint8)).similarity < 0.97


def test_a_view_without_contrast_is_unlike_a_photo_that_has_some() -> None:
    assert like(np.zeros(SHAPE, np.uint8)) == ViewSimilarity(0.0, 1.0)


def test_a_photo_without_contrast_cannot_be_compared() -> None:
    assert like(PHOTO, photo=np.full(SHAPE, 90, np.uint8)) == ViewSimilarity(0.0, 0.0)


def test_a_picture_smaller_than_a_patch_cannot_be_compared() -> None:
    small = PHOTO[:12, :40]
    assert view_similarity(small, SynthesizedView(small, np.ones((12, 40), bool))) == ViewSimilarity(0.0, 0.0)
