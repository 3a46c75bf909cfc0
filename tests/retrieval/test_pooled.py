"""Descriptors pooled from the networks of local features."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.errors import ConfigError
from vloc.features import FEATURES
from vloc.retrieval.pooled import CroW, GeM, Mac, Pooled, RMac, SPoC
from vloc.runtime import Runtime

from ..networks import golden
from .test_contract import scene


def picture(seed: int) -> np.ndarray:
    return np.repeat(scene(seed)[..., None], 3, axis=2)


def test_a_feature_without_a_network_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ConfigError, match=r"gem\.of: 'sift' has no dense map: choose from aliked, r2d2"):
        GeM(of="sift").load(Runtime(), {})


class TestWithWeights:
    pytestmark = golden.needs_golden

    @pytest.fixture(autouse=True)
    def _published(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("kornia", reason="kornia is not installed (the 'learned' extra)")
        monkeypatch.setenv("VLOC_WEIGHTS", str(golden.SHARED / "weights"))

    @pytest.mark.parametrize("pooled", [GeM(), Mac(), SPoC(), CroW(), RMac(), GeM(of="r2d2")])
    def test_an_image_looks_most_like_itself_seen_darker(self, pooled: Pooled) -> None:
        describe = pooled.load(Runtime(), pooled.train(Runtime(), map(picture, range(4)), 0))
        references = np.stack([describe(picture(seed)).vector for seed in range(4)])
        assert references.shape == (4, 256) and np.allclose(np.linalg.norm(references, axis=1), 1, atol=1e-5)
        queries = np.stack([describe((picture(seed) * 0.7).astype(np.uint8)).vector for seed in range(4)])
        assert (queries @ references.T).argmax(axis=1).tolist() == [0, 1, 2, 3]

    @pytest.mark.parametrize("shape", [(100, 140), (1, 1), (5, 300)])
    def test_an_image_that_shows_nothing_is_all_zeros(self, shape: tuple[int, int]) -> None:
        assert not GeM().load(Runtime(), {})(np.full((*shape, 3), 77, np.uint8)).vector.any()

    def test_enough_images_teach_a_whitening(self) -> None:
        pooled = SPoC(dims=3)
        trained = pooled.train(Runtime(), map(picture, range(6)), 0)
        assert pooled.load(Runtime(), trained)(picture(0)).vector.shape == (3,)

    @pytest.mark.parametrize("name", ["aliked", "r2d2"])
    def test_a_dense_map_has_the_descriptor_of_every_fourth_pixel(self, name: str) -> None:
        dense = FEATURES.parse(name).load_dense(Runtime(device="cpu"))(picture(0))
        assert dense.shape == (128, 45, 60)
        assert np.allclose(np.linalg.norm(dense, axis=0), 1, atol=1e-4)
