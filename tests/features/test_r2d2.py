"""R2D2's keypoints against those of the official code; strips, scales and settings on random weights."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

import vloc.features.r2d2 as module  # noqa: E402
from vloc.data.features import LocalFeatures  # noqa: E402
from vloc.features.r2d2 import SIGMA, R2d2  # noqa: E402
from vloc.formats.images import decode  # noqa: E402
from vloc.networks.r2d2 import R2D2, Architecture  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402
from vloc.weights import WEIGHTS  # noqa: E402

from ..networks import golden  # noqa: E402

TUTORIAL = golden.SHARED / "data" / "virtual_gallery_tutorial"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made weights under a published name."""
    torch.manual_seed(0)
    path = tmp_path / "r2d2_WASF_N16.pt"
    torch.save({"state_dict": R2D2(Architecture()).state_dict()}, path)
    made = replace(WEIGHTS[path.name], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(WEIGHTS, path.name, made)
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))


def photo(height: int = 200, width: int = 300) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(0).uniform(0, 255, (height, width, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.uint8)


def extract(image: np.ndarray, **settings: object) -> LocalFeatures:
    return R2d2(reliability=0.0, repeatability=0.0, **settings).load(Runtime(device="cpu"))(image)


def test_strips_give_what_the_whole_image_gives(weights: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = extract(photo())
    monkeypatch.setattr(module, "STRIP_PIXELS", 40 * 300)
    strips = extract(photo())
    assert len(whole) == len(strips) > 500
    assert np.array_equal(np.unique(whole.keypoints, axis=0), np.unique(strips.keypoints, axis=0))
    np.testing.assert_allclose(whole.scores, strips.scores, atol=1e-6)


def test_scales_follow_each_other_from_the_largest_allowed_to_the_least(weights: None) -> None:
    """300 px across: 1 and 2^-1/4 (252 px) where 250 are the least; without 1, six more down to 106 px."""
    assert set(extract(photo(), min_size=250).scales) == {np.float32(SIGMA), np.float32(SIGMA * 200 / 168)}
    found = sorted(set(extract(photo(), min_size=100, max_scale=0.9).scales))
    np.testing.assert_allclose(found, SIGMA * 2 ** (np.arange(1, 7) / 4), rtol=0.01)


def test_a_keypoint_of_a_reduced_image_is_where_its_pixel_is_in_the_whole_one(weights: None) -> None:
    """At half size, pixel (10, 20) is centred at (21, 41) of the stored image."""
    half = extract(photo(), scale_factor=2.0, max_scale=0.5, min_scale=0.5, min_size=16)
    assert len(half) > 100 and np.array_equal(half.keypoints % 2, np.ones_like(half.keypoints))


def test_thresholds_and_the_number_of_keypoints_are_kept(weights: None) -> None:
    some = extract(photo(), max_keypoints=50)
    assert len(some) == 50 and np.array_equal(some.scores, extract(photo()).scores[:50])
    none = R2d2(repeatability=1.0).load(Runtime(device="cpu"))(photo())
    assert len(none) == 0 and none.descriptors.shape == (0, 128) and none.descriptors.dtype == np.float16


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.fixture(autouse=True)
    def _published(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VLOC_WEIGHTS", str(golden.SHARED / "weights"))

    @pytest.mark.parametrize("tag", ["s1_240x320", "s3_237x313", "s2_480x640"])
    def test_keypoints_are_those_of_the_official_code_but_for_half_pixels(self, tag: str) -> None:
        expected = golden.outputs("r2d2")
        image = golden.made().test_image_u8(*golden.size(tag))
        found = R2d2(max_keypoints=10_000).load(Runtime(device="cpu"))(image)
        assert len(found) == expected[f"{tag}/ms_count"]
        np.testing.assert_allclose(found.scores[:50], expected[f"{tag}/ms_scores_top50"], atol=1e-5)
        assert share_found(found, expected[f"{tag}/ms_xys_top50"]) == 1

    def test_the_tutorials_precomputed_features_are_ours(self) -> None:
        """`r2d2_500` holds the best 500 over three scales: 0.5, 0.42 and 0.354."""
        stored = TUTORIAL / "local_features" / "r2d2_500"
        name = "testing/gallery_light1_occlusion1/frames/rgb/camera_0/rgb_00267.jpg"
        rows = np.fromfile(stored / "keypoints" / f"{name}.kpt", np.float32).reshape(-1, 3)
        descriptors = np.fromfile(stored / "descriptors" / f"{name}.desc", np.float32).reshape(-1, 128)
        pixels = decode((TUTORIAL / "query" / "sensors" / "records_data" / name).read_bytes(), name, color=True)
        found = R2d2(max_keypoints=500, min_scale=0.35, max_scale=0.5).load(Runtime(device="cpu"))(pixels)
        assert share_found(found, rows) >= 0.98
        nearest = distances(found, rows).argmin(axis=1)
        cosines = np.einsum("nd,nd->n", descriptors, found.descriptors[nearest].astype(np.float32))
        assert np.quantile(cosines, 0.02) > 0.999


def distances(found: LocalFeatures, rows: np.ndarray) -> np.ndarray:
    """From keypoints (x, y, 32 / scale) of the official code, whose pixels of every scale begin at 0, px."""
    return np.linalg.norm((rows[:, :2] + 0.5 * rows[:, 2:] / 32)[:, None] - found.keypoints[None], axis=2)


def share_found(found: LocalFeatures, rows: np.ndarray) -> float:
    return float((distances(found, rows).min(axis=1) < 0.1).mean())
