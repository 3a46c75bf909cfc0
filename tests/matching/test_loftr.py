"""LoFTR with made weights: against kornia called directly, and by known shifts where its transformers do nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")
kornia = pytest.importorskip("kornia.feature", reason="kornia is not installed (the 'learned' extra)")

from vloc.data.photo_matches import PhotoMatches  # noqa: E402
from vloc.errors import ConfigError, DataError, WeightsMissingError  # noqa: E402
from vloc.matching import MATCHERS  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402

from .homographies import textured  # noqa: E402

FILE = "loftr_outdoor.ckpt"
LOUD = 30.0
"""by which coarse features are made larger, so that what they show counts and not where they are"""


def network() -> torch.nn.Module:
    """kornia's own with made weights: transformers change nothing, and features are those of random convolutions.

    These are made to tell places apart: less the mean over the cells of a photo, and large.
    """
    torch.manual_seed(0)
    module = kornia.LoFTR(None).eval()
    for name, value in module.state_dict().items():
        if ".norm2." in name:
            value.zero_()
    first, last = module.backbone.conv1.weight.data, module.backbone.layer3_outconv.weight.data
    first -= first.mean((2, 3), keepdim=True)
    with torch.inference_mode():
        mean = module.backbone(as_tensor(textured(7)))[0][0].mean((1, 2))
        last -= torch.einsum("o,p,pcyx->ocyx", mean, mean, last) / mean.dot(mean)
        last *= LOUD
    return module


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights as they are published: layers under another name."""
    folder = tmp_path_factory.mktemp("loftr")
    state = {f"matcher.{key}": value for key, value in network().state_dict().items()}
    torch.save({"state_dict": state}, folder / FILE)
    return folder


@pytest.fixture(autouse=True)
def _weights(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLOC_WEIGHTS", str(published))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def match(first: np.ndarray, second: np.ndarray, settings: str = "threshold=0") -> PhotoMatches:
    matcher = MATCHERS.parse(f"loftr:{settings}").load_photos(Runtime(device="cpu"))
    return matcher.match(matcher.prepare(first), matcher.prepare(second))


def as_tensor(photo: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(photo)[None, None].float() / 255


def test_places_and_scores_are_those_of_kornia() -> None:
    first, second = textured(0)[:120, :170], textured(0)[8:140, 16:200]
    with torch.inference_mode():
        expected = network()({"image0": as_tensor(first), "image1": as_tensor(second)})
    found = match(first, second, "threshold=0.2")
    assert len(found) == len(expected["confidence"]) > 50
    np.testing.assert_allclose(found.first, expected["keypoints0"].numpy(), atol=1e-4)
    np.testing.assert_allclose(found.second, expected["keypoints1"].numpy(), atol=1e-2)
    np.testing.assert_allclose(found.scores, expected["confidence"].numpy(), atol=1e-3)


def test_a_shifted_photo_is_found_shifted() -> None:
    whole = textured(1)
    found = match(whole[:200, :264], whole[16:216, 24:288])
    moved = found.first - found.second - (24, 16)
    assert len(found) > 200
    assert (np.abs(moved).max(axis=1) < 4).mean() > 0.95  # the right cell
    assert np.abs(np.median(moved, axis=0)).max() < 0.5


def test_places_of_a_reduced_photo_are_measured_from_the_corner_of_the_stored_one() -> None:
    first, second = textured(0)[:96, :128], textured(0)[8:104, 16:144]
    plain = match(first, second)
    twice = match(np.repeat(np.repeat(first, 2, axis=0), 2, axis=1), second, "threshold=0,max_size=128")
    assert len(plain) > 50
    np.testing.assert_allclose(twice.first, plain.first * 2, atol=1e-3)
    np.testing.assert_allclose(twice.second, plain.second, atol=1e-2)


def test_only_matches_over_the_threshold_are_kept() -> None:
    first, second = textured(0)[:96, :128], textured(3)[:96, :128]
    everything, sure = match(first, second), match(first, second, "threshold=0.9")
    assert len(sure) < len(everything) and (sure.scores > 0.9).all()


def test_a_blank_or_tiny_photo_has_no_wrong_types() -> None:
    for photo in (np.zeros((9, 12), np.uint8), np.full((48, 64), 128, np.uint8)):
        found = match(photo, textured(0)[:48, :64])
        assert found.first.shape == found.second.shape == (len(found), 2)
        assert found.first.dtype == found.second.dtype == found.scores.dtype == np.float32


def test_missing_weights_name_the_file_and_other_networks_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsMissingError, match=r"loftr_indoor_ds_new\.ckpt is in none of .*huggingface"):
        MATCHERS.parse("loftr:network=indoor_new").load_photos(Runtime())
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(1)}}, tmp_path / FILE)
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    with pytest.raises(DataError, match="these weights are for another network"):
        MATCHERS.parse("loftr").load_photos(Runtime())


@pytest.mark.parametrize(
    ("setting", "limit", "beyond"), [("threshold", 0, -1e-6), ("threshold", 1, 1.001), ("max_size", 64, 63)]
)
def test_a_setting_is_taken_up_to_its_limit_and_refused_beyond(setting: str, limit: float, beyond: float) -> None:
    MATCHERS.parse(f"loftr:{setting}={limit}")
    with pytest.raises(ConfigError, match=setting):
        MATCHERS.parse(f"loftr:{setting}={beyond}")
