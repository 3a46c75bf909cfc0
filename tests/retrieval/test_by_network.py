"""Descriptors by networks as plugins: from a file of weights and an image to a vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vloc.errors import ConfigError, WeightsMissingError
from vloc.registry import to_text
from vloc.retrieval import DESCRIPTORS
from vloc.retrieval.by_network import at_least, describer
from vloc.runtime import Runtime

from ..networks import golden

NEEDED = {
    "apgem": "Resnet101-AP-GeM-LM18.pt",
    "cosplace": "ResNet50_2048_cosplace.pth",
    "eigenplaces": "ResNet50_2048_eigenplaces.pth",
    "eigenplaces:backbone=vgg16,dims=512": "VGG16_512_eigenplaces.pth",
    "delg": "r50-delg",
    "megaloc": "megaloc.torch",
    "netvlad": "Pitts30K_struct.mat",
    "netvlad:network=tokyotm": "TokyoTM_struct.mat",
}
"""the file that each needs"""


@pytest.mark.parametrize("spec", NEEDED)
def test_missing_weights_are_told_with_their_source_and_place(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(WeightsMissingError) as caught:
        DESCRIPTORS.parse(spec).load(Runtime(device="cpu"), {})
    told = str(caught.value)
    assert told.startswith(f"{NEEDED[spec]} is in none of {tmp_path / 'here'}, ") and "put what is at https://" in told
    assert told.count("\n") == 0


@pytest.mark.parametrize("name", sorted({spec.partition(":")[0] for spec in NEEDED}))
def test_they_learn_nothing_from_a_map(name: str) -> None:
    assert DESCRIPTORS.parse(name).train(Runtime(), iter(()), seed=0) == {}


def test_lengths_that_are_not_published_are_refused_with_the_choices() -> None:
    with pytest.raises(
        ConfigError, match=r"eigenplaces: no weights .* dims=2048: choose from VGG16_512, ResNet18_256,"
    ):
        DESCRIPTORS.parse("eigenplaces:backbone=vgg16")


def test_fewer_dimensions_of_apgem_need_its_whitening() -> None:
    with pytest.raises(ConfigError, match=r"apgem\.dims: expected 2048 without whitening, got 512"):
        DESCRIPTORS.parse("apgem:dims=512")
    assert DESCRIPTORS.parse("apgem:whitening=landmarks_clean,dims=512").dims == 512


def test_scales_of_apgem_are_shares_of_its_size() -> None:
    found = DESCRIPTORS.parse("apgem:scales=1/0.71/0.5")
    assert found.shares() == (1, 0.71, 0.5) and to_text(found) == "apgem:scales=1/0.71/0.5"
    assert replace(found, scales="1,0.5").scales == "1/0.5"
    for wrong in ("", "1/", "1.41", "0", "nan", "large"):
        with pytest.raises(ConfigError, match=rf"apgem\.scales: expected numbers .* got '{wrong}'"):
            DESCRIPTORS.parse(f"apgem:scales={wrong}")


@pytest.mark.parametrize(("shape", "expected"), [((1, 9), (32, 32)), ((40, 5), (40, 32)), ((33, 32), (33, 32))])
def test_narrow_images_are_stretched(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    image = np.arange(3 * shape[0] * shape[1], dtype=np.uint8).reshape(*shape, 3)
    assert at_least(image, 32).shape == (*expected, 3)


class TestWhatANetworkSees:
    """By networks that only say what they were given."""

    def describe(self, said: Callable[..., object], image: np.ndarray, size: int = 640) -> np.ndarray:
        torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

        class Saying(torch.nn.Linear):
            def forward(self, pixels: object) -> object:
                return said(pixels)

        return describer(Saying(1, 1), size)(image).vector

    def test_colors_are_shares_of_full_light_red_first(self) -> None:
        image = np.zeros((40, 50, 3), np.uint8)
        image[3, 7] = (255, 51, 102)
        found = self.describe(lambda pixels: pixels[:, :, 3, 7], image)
        np.testing.assert_allclose(found, [1, 0.2, 0.4], rtol=1e-6)

    @pytest.mark.parametrize(("shape", "seen"), [((5, 90), (32, 90)), ((900, 1280), (450, 640)), ((40, 50), (40, 50))])
    def test_images_are_reduced_to_its_size_and_stretched_to_the_least_side(
        self, shape: tuple[int, int], seen: tuple[int, int]
    ) -> None:
        image = np.zeros((*shape, 3), np.uint8)
        image[0, 0] = 9
        assert self.describe(lambda pixels: pixels.new_tensor([pixels.shape]), image).tolist() == [1, 3, *seen]

    @pytest.mark.parametrize("other", [(0, 1), (1, 0), (1, 1)])
    def test_a_single_pixel_of_another_color_is_something_to_see(self, other: tuple[int, int]) -> None:
        image = np.full((32, 32, 3), 77, np.uint8)
        assert not self.describe(lambda pixels: pixels[:, 0, 0], image).any()
        image[other] = 78
        assert self.describe(lambda pixels: pixels[:, 0, 0], image).any()


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.mark.parametrize(("spec", "name"), [("eigenplaces:backbone=resnet18,dims=512", "eigenplaces_resnet18_512")])
    def test_a_plugin_describes_as_the_official_code_does(
        self, spec: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")
        plugin = DESCRIPTORS.parse(spec)
        torch.save({key: torch.from_numpy(v) for key, v in golden.stand_in(name).items()}, tmp_path / plugin.weights)
        monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
        describe = plugin.load(Runtime(device="cpu"), {})
        for tag in golden.tags(name):
            vector = describe(golden.made().test_image_u8(*golden.size(tag))).vector
            assert golden.deviation(vector, golden.outputs(name)[f"{tag}/descriptor"]) < 1e-4
