"""Scores of photos against degradations of known strength, and against pictures whose scores follow by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vloc.data.estimate import PoseEstimate
from vloc.data.quality import ImageQuality
from vloc.geometry.rigid import Rigid
from vloc.stages.quality import (
    QualityConfig,
    _tensor,
    explained,
    image_quality,
    noise_level,
    refuse,
    sharpness,
    textured_share,
)

from .degradations import defocused, fogged, noisy, overexposed, shaken, shrunk, underexposed, walled


@pytest.fixture(scope="module")
def photos(gallery: Path) -> dict[str, np.ndarray]:
    """Two gallery photos by day and two by night, grey."""
    folder = gallery / "query" / "sensors" / "records_data"
    return {
        str(path.relative_to(folder)): cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in folder.rglob("*.jpg")
    }


Operator = Callable[[np.ndarray, float], np.ndarray]
OPERATORS = {
    "defocus": (defocused, (1, 2, 4, 8, 16), "sharpness", "is blurred"),
    "motion": (shaken, (5, 10, 20, 50), "sharpness", "is blurred"),
    "darkness": (underexposed, (2, 4, 8, 16, 40), "brightness", "is dark"),
    "light": (overexposed, (4, 8, 16, 64), "blown_out", "is blown out"),
    "noise": (noisy, (5, 10, 20, 40, 80), "noise", "is noisy"),
    "few pixels": (shrunk, (2, 4, 8, 16), "megapixels", "has too few pixels"),
    "a wall": (walled, (0.3, 0.5, 0.7, 0.9, 1.0), "texture", "nearly no texture"),
    "fog": (fogged, (0.5, 0.25, 0.1, 0.04), "texture", "nearly no texture"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_a_score_follows_its_degradation_step_by_step(photos: dict[str, np.ndarray], name: str) -> None:
    operator, strengths, score, _ = OPERATORS[name]
    worse = 1 if score in ("noise", "blown_out") else -1
    for photo in photos.values():
        scores = [getattr(image_quality(photo), score)]
        scores += [getattr(image_quality(operator(photo, strength)), score) for strength in strengths]
        assert (worse * np.diff(scores) > -1e-9).all() and worse * (scores[-1] - scores[0]) > 0, scores


@pytest.mark.parametrize("name", OPERATORS)
def test_the_strongest_degradation_is_named(photos: dict[str, np.ndarray], name: str) -> None:
    operator, strengths, _, complaint = OPERATORS[name]
    for photo in photos.values():
        assert complaint in image_quality(operator(photo, strengths[-1])).complaint


def test_photos_of_day_and_night_are_good(photos: dict[str, np.ndarray]) -> None:
    assert [(image_quality(photo).complaint, image_quality(photo).overall) for photo in photos.values()] == [
        ("", 1)
    ] * 4


def test_a_score_does_not_depend_on_how_the_camera_is_held(photos: dict[str, np.ndarray]) -> None:
    for photo in photos.values():
        upright, turned = image_quality(photo), image_quality(np.ascontiguousarray(np.rot90(photo)))
        assert turned.brightness == upright.brightness and turned.blown_out == upright.blown_out
        np.testing.assert_allclose(turned.sharpness, upright.sharpness, rtol=0.01)
        np.testing.assert_allclose(turned.texture, upright.texture, atol=0.02)
        np.testing.assert_allclose(turned.noise, upright.noise, rtol=0.15)


def test_light_is_read_off_the_grey_levels() -> None:
    image = np.full((100, 100), 40, np.uint8)
    image[:11] = 200  # 11 % of the pixels: a tenth exceeds 40
    image[:3] = 255
    quality = image_quality(image)
    assert (quality.megapixels, quality.brightness, quality.blown_out) == (0.01, 200 / 255, 0.03)
    image[9:11] = 40
    assert image_quality(image).brightness == 40 / 255


def test_noise_is_relative_to_the_brightness_and_the_darkest_photo_is_as_dark_as_can_be() -> None:
    image = grainy(96, 96)
    quality = image_quality(image)
    assert quality.noise == pytest.approx(noise_level(image) / (255 * quality.brightness))
    assert image_quality(np.zeros((96, 96), np.uint8)).brightness == 1 / 255


def test_a_pixel_is_blown_out_from_level_250_on() -> None:
    image = np.full((10, 10), 249, np.uint8)
    image[0] = 250
    assert image_quality(image).blown_out == 0.1


@pytest.mark.parametrize("sigma", [2.0, 5.0, 12.0])
def test_white_noise_on_a_flat_picture_is_measured(sigma: float) -> None:
    flat = np.full((480, 640), 128.0) + np.random.default_rng(0).normal(0, sigma, (480, 640))
    np.testing.assert_allclose(noise_level(np.rint(flat).astype(np.uint8)), sigma, rtol=0.12)


def test_a_slope_and_an_upright_edge_are_no_noise() -> None:
    slope = np.add.outer(np.arange(120), np.arange(120)).astype(np.uint8)
    edge = np.repeat(np.array([[50, 200]], np.uint8), [60, 60], axis=1).repeat(120, axis=0)
    assert noise_level(slope) == 0 and noise_level(edge) == 0


def test_noise_that_is_cut_off_at_black_and_white_is_not_judged() -> None:
    assert noise_level(np.full((64, 64), 255, np.uint8)) == noise_level(np.zeros((64, 64), np.uint8)) == 0


def grainy(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 150, (height, width)).astype(np.uint8)


@pytest.mark.parametrize(("quiet_columns", "is_noisy"), [(80, False), (48, True)])
def test_noise_is_that_of_the_quietest_fifth_of_the_cells(quiet_columns: int, is_noisy: bool) -> None:
    image = grainy(96, 320)  # cells of 16 px
    image[:, :quiet_columns] = 120
    assert (noise_level(image) > 10) is is_noisy


def test_noise_is_looked_for_in_the_first_of_every_three_rows_of_cells() -> None:
    image = grainy(160, 160)
    for row in (0, 48, 96, 144):
        image[row : row + 16] = 120
    assert noise_level(image) == 0 < noise_level(image[16:])


@pytest.mark.parametrize(("level", "is_judged"), [(2, False), (3, True), (249, True), (250, False)])
def test_cells_are_judged_by_the_levels_at_which_noise_is_not_cut_off(level: int, is_judged: bool) -> None:
    image = np.full((16, 16), level, np.uint8)
    image[np.add.outer(np.arange(16), np.arange(16)) % 2 == 0] = 120  # half of the cell; more than that must count
    assert (noise_level(image) > 0) is is_judged


def wave(period: float, size: int = 240) -> np.ndarray:
    """Stripes along both axes."""
    x = np.arange(size) + 0.5
    stripes = 40 * np.sin(2 * np.pi * x / period)
    return (128 + stripes[None] + stripes[:, None]).astype(np.float32)


def test_a_picture_smaller_than_the_reduced_size_is_judged_as_it_is() -> None:
    picture = wave(24).astype(np.uint8)
    assert image_quality(picture).sharpness == pytest.approx(sharpness(picture.astype(np.float32), 0.0), rel=0.01)


def test_noise_of_a_large_photo_is_less_where_it_is_reduced() -> None:
    columns = np.repeat(np.where(np.arange(256) % 2, 8.0, -8.0), 4)  # 20 levels of noise become 5 of four times the px
    photo = 128 + columns + np.random.default_rng(0).normal(0, 20, (1024, 1024))
    assert image_quality(np.rint(photo).astype(np.uint8)).texture > 0.99  # 8 exceeds sqrt(3^2 + 5^2)


def test_gradients_of_a_slope_and_what_noise_takes_from_them_by_hand() -> None:
    slope = (3 * np.arange(60)[None] + 4 * np.arange(40)[:, None]).astype(np.float32)
    along = np.array([[9, 12], [12, 16]])  # 25 along the slope, nothing across
    np.testing.assert_allclose(_tensor(slope, 0.0), along, atol=1e-9)
    np.testing.assert_allclose(_tensor(slope, 4.0), along * (25 - 8) / 25, atol=1e-9)  # half of 4^2, and never below 0


@pytest.mark.parametrize(
    ("noise", "fine", "coarse"), [(0.0, 0.01 + 0.02, 0.16 + 0.02), (0.4, 0.06, 0.16 - 0.005 + 0.06)]
)
def test_faint_gradients_and_noise_are_doubted_as_by_hand(noise: float, fine: float, coarse: float) -> None:
    """A slope of 0.1 a pixel, 0.4 a pixel of the coarser picture, in squares; noise of 0.4 hides the fine one."""
    slope = np.tile(0.1 * np.arange(96, dtype=np.float32), (72, 1))
    expected = (np.sqrt(fine / coarse) - 1 / 4) / (1 - 1 / 4)
    assert sharpness(slope, noise) == pytest.approx(expected, abs=1e-3) == sharpness(slope.T.copy(), noise)


def test_detail_that_the_coarser_picture_shows_as_well_is_no_sharpness() -> None:
    assert sharpness(wave(120), 0.0) < 0.02


def test_detail_that_only_the_finer_picture_shows_is_sharpness() -> None:
    assert sharpness(wave(6), 0.0) == 1


def test_the_direction_with_least_detail_decides() -> None:
    x = np.arange(240) + 0.5
    both = 128 + 40 * np.sin(2 * np.pi * x / 6)[None] + 40 * np.sin(2 * np.pi * x / 120)[:, None]
    assert sharpness(both.astype(np.float32), 0.0) < 0.02


def test_where_there_is_nothing_to_judge_no_blur_is_claimed() -> None:
    flat = np.full((240, 240), 99, np.float32)
    assert sharpness(flat, 0.0) == 1 and sharpness(wave(60, 11), 0.0) == 1 > sharpness(wave(60, 12), 0.0)
    grain = flat + np.random.default_rng(0).normal(0, 9, flat.shape).astype(np.float32)
    assert sharpness(grain, 9.0) > 0.3


def test_texture_is_the_share_of_cells_with_contrast() -> None:
    image = np.full((80, 160), 99, np.float32)
    image[:, :40] += np.float32(5) * (-1.0) ** np.arange(40, dtype=np.float32)  # deviates by 5 in a quarter
    assert textured_share(image, 0.0) == 0.25
    assert textured_share(image, 3.9) == 0.25 and textured_share(image, 4.1) == 0  # 3^2 + 4^2 = 5^2
    assert textured_share(np.zeros((7, 100), np.float32), 0.0) == 0
    stripes = np.tile(np.float32([3, -3]), (80, 80))  # deviate by 3, as much as none have
    assert textured_share(stripes, 0.0) == 0 < textured_share(np.float32(1.01) * stripes, 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 3), (7, 20), (40, 2000)])
def test_odd_shapes_have_scores(shape: tuple[int, int]) -> None:
    quality = image_quality(np.zeros(shape, np.uint8))
    assert np.isfinite(list(quality.to_json().values())).all() and quality.overall == 0


BLURRED = ImageQuality(0.3, 0.5, 0.0, 0.01, 0.05, 0.5)


def test_a_failed_query_says_what_is_wrong_with_its_photo() -> None:
    failed = explained(PoseEstimate("q", None, "none", 5, 9, reason="5 inliers"), BLURRED)
    assert failed.reason == "5 inliers; the image is blurred (sharpness 0.05, good photos have over 0.2)"
    good = ImageQuality(0.3, 0.5, 0.0, 0.01, 0.5, 0.5)
    assert explained(PoseEstimate("q", None, "none", reason="5 inliers"), good).reason == "5 inliers"


def test_a_localized_query_keeps_the_scores_and_is_blamed_for_nothing() -> None:
    found = explained(PoseEstimate("q", Rigid.identity(), "pnp", 50, 90), BLURRED)
    assert found.quality == BLURRED and found.reason == ""


def test_a_refused_query_has_no_pose_and_says_what_was_asked_for() -> None:
    good = ImageQuality(0.3, 0.5, 0.0, 0.01, 0.5, 0.5)
    (estimate,) = refuse(QualityConfig(min_quality=0.5), {"blurred": BLURRED, "good": good}).values()
    assert (estimate.name, estimate.source, estimate.is_localized) == ("blurred", "none", False)
    assert estimate.quality == BLURRED
    assert estimate.reason.startswith("refused: quality 0.14, at least 0.5 asked for; the image is blurred")


def test_a_photo_is_refused_below_the_limit_and_not_at_it() -> None:
    assert refuse(QualityConfig(min_quality=BLURRED.overall), {"q": BLURRED}) == {}
    assert refuse(QualityConfig(), {"q": replace(BLURRED, brightness=0.0)}) == {}
    assert list(refuse(QualityConfig(min_quality=1), {"q": BLURRED})) == ["q"]
