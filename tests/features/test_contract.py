"""What every registered local feature owes to its users."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from vloc.data.features import LocalFeatures
from vloc.errors import ExtraMissingError, WeightsMissingError
from vloc.features import FEATURES
from vloc.features.base import Extractor
from vloc.runtime import Runtime

from .conftest import WITHOUT_WEIGHTS


def textured(height: int = 120, width: int = 160, seed: int = 0) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(seed).uniform(0, 255, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.rint(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def blob(x: float, y: float, height: int = 90, width: int = 110) -> np.ndarray:
    """A bright round spot of 4 px around (x, y), where the first pixel is centred at (0.5, 0.5)."""
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    spot = np.exp(-((columns - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * 4.0**2))
    return np.rint(40 + 200 * spot).astype(np.uint8)


@pytest.fixture(autouse=True)
def _weights(made_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made weights where nobody has the published ones."""
    given = os.environ.get("VLOC_WEIGHTS")
    monkeypatch.setenv("VLOC_WEIGHTS", os.pathsep.join([*filter(None, [given]), str(made_weights)]))


@cache
def load(spec: str) -> Extractor:
    feature = FEATURES.parse(spec)
    try:
        extract = feature.load(Runtime(device="cpu"))
    except (ExtraMissingError, WeightsMissingError) as error:
        pytest.skip(str(error))
    return lambda image: extract(np.repeat(image[..., None], 3, axis=2) if feature.in_color else image)


def same(first: LocalFeatures, second: LocalFeatures) -> bool:
    pairs = zip(first.to_arrays().values(), second.to_arrays().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


OTHERS = ("imported", "matched")
"""those that take arrays and no photo, or need several"""
BLOBS = ("colmap_sift", "sift")
"""those that are made to find round spots, and the same ones in turned images"""


@pytest.fixture(params=[name for name in FEATURES.names() if name not in OTHERS])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_shapes_and_types_fit_together(name: str) -> None:
    features = load(name)(textured())
    assert len(features) > 20
    assert features.keypoints.shape == (len(features), 2)
    assert features.keypoints.dtype == np.float32
    assert features.scores.shape == (len(features),)
    assert features.scores.dtype == np.float32
    assert features.scales.shape == (len(features),)
    assert features.scales.dtype == np.float32
    assert (features.scales > 0).all()
    assert len(features.descriptors) == len(features)
    assert features.descriptors.dtype in (np.uint8, np.float16)
    assert all(array.flags.c_contiguous for array in features.to_arrays().values())


def test_a_blank_image_has_no_keypoints_and_the_same_types(name: str) -> None:
    extract = load(name)
    blank = np.full((2, 2) if name in WITHOUT_WEIGHTS else (60, 80), 128, np.uint8)
    some, none = extract(textured()), extract(blank)
    assert len(none) == 0
    for key, array in some[:0].to_arrays().items():
        assert none.to_arrays()[key].shape == array.shape
        assert none.to_arrays()[key].dtype == array.dtype


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 7), (16, 300)])
def test_small_and_narrow_images_are_no_accident(name: str, shape: tuple[int, int]) -> None:
    features = load(name)(textured(*shape) if min(shape) > 1 else np.zeros(shape, np.uint8))
    assert features.keypoints.shape == (len(features), 2)


def test_keypoints_lie_in_the_image(name: str) -> None:
    keypoints = load(name)(textured(120, 160)).keypoints
    assert (keypoints >= 0).all()
    assert (keypoints <= [160, 120]).all()


def test_the_image_is_not_changed(name: str) -> None:
    image = textured()
    load(name)(image)
    assert np.array_equal(image, textured())


def test_two_runs_and_two_threads_give_the_same(name: str) -> None:
    extract, images = load(name), [textured(60, 80, seed) for seed in (0, 1, 0, 1)]
    load.cache_clear()
    alone = [load(name)(image) for image in images[:2]]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(extract, images))
    assert all(same(features, alone[i % 2]) for i, features in enumerate(together))


@pytest.mark.parametrize("name", BLOBS)
@pytest.mark.parametrize("center", [(55.5, 45.5), (50.0, 40.0), (60.25, 43.7)])
def test_the_first_pixel_is_centred_at_one_half(name: str, center: tuple[float, float]) -> None:
    features = load(name)(blob(*center))
    distances = np.linalg.norm(features.keypoints - np.array(center), axis=1)
    assert distances.min() < 0.05


@pytest.mark.parametrize("name", BLOBS)
def test_the_scale_is_that_of_the_gaussian_that_answers_most(name: str) -> None:
    """A Gaussian spot of sigma 4 answers most to the difference of Gaussians s and k s, k = 2^(1/3), at 4 / k^(1/2)."""
    features = load(name)(blob(50, 40))
    nearest = np.linalg.norm(features.keypoints - (50, 40), axis=1).argmin()
    assert abs(features.scales[nearest] - 4 / 2 ** (1 / 6)) < 0.3


def test_strongest_come_first(name: str) -> None:
    scores = load(name)(textured()).scores
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("limit", [1, 10, 37])
def test_max_keypoints_is_never_exceeded_and_keeps_the_strongest(name: str, limit: int) -> None:
    if not hasattr(FEATURES.get(name), "max_keypoints"):
        pytest.skip(f"{name} has no such setting")
    image = textured()
    features = load(f"{name}:max_keypoints={limit}")(image)
    assert len(features) == limit
    assert np.array_equal(features.scores, load(name)(image).scores[:limit])


@pytest.mark.parametrize("name", BLOBS)
def test_a_turned_image_has_its_keypoints_turned_with_it(name: str) -> None:
    image = textured(128, 128)
    extract = load(name)
    straight, turned = extract(image).keypoints, extract(np.ascontiguousarray(image[::-1, ::-1])).keypoints
    distances = np.linalg.norm((128 - turned)[:, None] - straight[None], axis=2).min(axis=1)
    assert np.median(distances) < 0.05
