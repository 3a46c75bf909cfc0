"""ALIKED's keypoints and descriptors against those of the official code."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("kornia", reason="kornia is not installed (the 'learned' extra)")

from vloc.features.aliked import Aliked
from vloc.runtime import Runtime

from ..networks import golden


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.fixture(autouse=True)
    def _published(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VLOC_WEIGHTS", str(golden.SHARED / "weights"))

    @pytest.mark.parametrize("tag", ["s1_240x320", "s3_237x313"])
    @pytest.mark.parametrize("network", ["n16", "n16rot", "n32", "t16"])
    def test_all_keypoints_scores_and_descriptors_are_those_of_the_official_code(self, network: str, tag: str) -> None:
        expected = golden.outputs(f"aliked_{network}")
        found = Aliked(network=network).load(Runtime(device="cpu"))(golden.made().test_image_u8(*golden.size(tag)))
        assert len(found) == expected[f"{tag}/count"]
        places = expected[f"{tag}/keypoints_all"] + 0.5
        distances = np.linalg.norm(places[:, None] - found.keypoints[None], axis=2)
        nearest = distances.argmin(axis=1)
        assert distances.min(axis=1).max() < 1e-3 and len(set(nearest)) == len(nearest)
        np.testing.assert_allclose(found.scores[nearest], expected[f"{tag}/scores_all"], atol=1e-4)
        np.testing.assert_allclose(found.descriptors[nearest, :8], expected[f"{tag}/desc_all_first8"], atol=1e-3)

    def test_a_larger_image_has_as_many_keypoints(self) -> None:
        tag = "s2_480x640"
        found = Aliked().load(Runtime(device="cpu"))(golden.made().test_image_u8(*golden.size(tag)))
        assert len(found) == golden.outputs("aliked_n16")[f"{tag}/count"]
