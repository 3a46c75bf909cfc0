"""What every registered global descriptor owes to its users."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from vloc.data.features import Arrays
from vloc.errors import ExtraMissingError, WeightsMissingError
from vloc.retrieval import DESCRIPTORS
from vloc.retrieval.base import Describer, GlobalFeature
from vloc.runtime import Runtime


def scene(seed: int, height: int = 180, width: int = 240) -> np.ndarray:
    """Rectangles of random place, size and texture: each seed looks like another place."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width), 90.0)
    for _ in range(25):
        y, x, h, w = rng.integers((0, 0, 10, 10), (height - 20, width - 20, 90, 90))
        stripes = np.sin(np.arange(image[y : y + h, x : x + w].shape[1]) * rng.uniform(0.2, 2.0))
        image[y : y + h, x : x + w] = rng.uniform(40, 215) + 35 * stripes
    return np.rint(image).astype(np.uint8)


def in_wanted_color(descriptor: GlobalFeature, image: np.ndarray) -> np.ndarray:
    return np.repeat(image[..., None], 3, axis=2) if descriptor.in_color else image


def trained(descriptor: GlobalFeature, seed: int = 0) -> Arrays:
    return descriptor.train(Runtime(), (in_wanted_color(descriptor, scene(i)) for i in range(6)), seed)


def load(descriptor: GlobalFeature) -> Describer:
    try:
        describe = descriptor.load(Runtime(device="cpu"), trained(descriptor))
    except (ExtraMissingError, WeightsMissingError) as error:
        pytest.skip(str(error))
    return lambda image: describe(in_wanted_color(descriptor, image))


UNTRAINED = "cosplace:backbone=resnet18,dims=32"


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights, with random ones for a small network where torch is installed."""
    folder = tmp_path_factory.mktemp("weights")
    with suppress(ImportError):
        import torch

        from vloc.networks.cosplace import cosplace

        torch.manual_seed(0)
        torch.save(cosplace("resnet18", 32).state_dict(), folder / "ResNet18_32_cosplace.pth")
    return folder


OF_PHOTOS = [cls.plugin_name for cls in DESCRIPTORS if hasattr(cls, "in_color")]


@pytest.fixture(params=[*OF_PHOTOS, "densevlad:dims=3", UNTRAINED])
def descriptor(request: pytest.FixtureRequest, untrained: Path, monkeypatch: pytest.MonkeyPatch) -> GlobalFeature:
    monkeypatch.setenv("VLOC_WEIGHTS", str(untrained))
    return DESCRIPTORS.parse(request.param)


def test_descriptors_are_unit_vectors_of_one_length(descriptor: GlobalFeature) -> None:
    describe = load(descriptor)
    vectors = [describe(scene(seed, *size)).vector for seed, size in ((1, (180, 240)), (7, (600, 800)), (8, (90, 70)))]
    assert {(vector.dtype, vector.shape) for vector in vectors} == {(np.dtype(np.float32), vectors[0].shape)}
    assert np.allclose([np.linalg.norm(vector) for vector in vectors], 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(100, 140), (1, 1), (5, 300)])
def test_an_image_that_shows_nothing_is_all_zeros(descriptor: GlobalFeature, shape: tuple[int, int]) -> None:
    describe = load(descriptor)
    blank = describe(np.full(shape, 77, np.uint8)).vector
    assert blank.shape == describe(scene(0)).vector.shape
    assert not blank.any()


def test_an_image_looks_most_like_itself_seen_darker_and_smaller(descriptor: GlobalFeature) -> None:
    import cv2

    if descriptor == DESCRIPTORS.parse(UNTRAINED):
        pytest.skip("a network of random weights knows no image again")
    describe = load(descriptor)
    references = np.stack([describe(scene(seed)).vector for seed in range(6)])
    for seed in range(6):
        query = cv2.resize((scene(seed) * 0.7).astype(np.uint8), None, fx=0.85, fy=0.85, interpolation=cv2.INTER_AREA)
        assert np.argmax(references @ describe(query).vector) == seed


def test_training_repeats_with_its_seed(descriptor: GlobalFeature) -> None:
    first, second = trained(descriptor, seed=3), trained(descriptor, seed=3)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert all(array.dtype == np.float32 for array in first.values())


def test_two_threads_describe_as_one_does(descriptor: GlobalFeature) -> None:
    describe = load(descriptor)
    images = [scene(seed) for seed in (0, 1, 2, 3)]
    alone = [describe(image).vector for image in images]
    with ThreadPoolExecutor(2) as pool:
        together = [result.vector for result in pool.map(describe, images)]
    assert np.array_equal(alone, together)


def test_images_are_not_changed(descriptor: GlobalFeature) -> None:
    image = scene(0)
    load(descriptor)(image)
    assert np.array_equal(image, scene(0))


def test_it_says_at_which_size_it_looks(descriptor: GlobalFeature) -> None:
    assert descriptor.image_size >= 64
