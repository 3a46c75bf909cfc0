"""SuperPoint with made weights: where its keypoints are, which stay, and what is told without weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import DataError, WeightsMissingError  # noqa: E402
from vloc.features import FEATURES  # noqa: E402
from vloc.features.superpoint import SuperPoint  # noqa: E402
from vloc.networks.superpoint import SuperPoint as Network  # noqa: E402
from vloc.networks.superpoint import described, score_map  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402

from .made import superpoint  # noqa: E402

IMAGE = np.random.default_rng(0).integers(0, 256, (86, 101), np.uint8)


@pytest.fixture(autouse=True)
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    superpoint(tmp_path)
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def scores_of(folder: Path) -> tuple[np.ndarray, Network]:
    network = Network()
    network.load_state_dict(torch.load(folder / "superpoint_v1.pth"))
    with torch.inference_mode():
        cells = network(torch.from_numpy(IMAGE)[None, None] / 255)
    return score_map(cells.logits).numpy(), network


def test_keypoints_are_the_largest_scores_within_the_radius_at_the_centres_of_pixels(tmp_path: Path) -> None:
    scores, _ = scores_of(tmp_path)
    found = SuperPoint(network="original", radius=3).load(Runtime(device="cpu"))(IMAGE)
    assert len(found) > 50
    for (x, y), score in zip((found.keypoints - 0.5).tolist(), found.scores.tolist(), strict=True):
        row, column = int(y), int(x)
        assert (row, column) == (y, x) and 3 <= row < 80 - 3 and 3 <= column < 96 - 3  # of ten by twelve cells
        np.testing.assert_allclose(score, scores[row, column], rtol=1e-4)
    apart = np.abs(found.keypoints[:, None] - found.keypoints[None]).max(axis=2) + 99 * np.eye(len(found))
    assert apart.min() > 3


def test_descriptors_are_read_at_the_keypoints(tmp_path: Path) -> None:
    _, network = scores_of(tmp_path)
    found = SuperPoint(network="original").load(Runtime(device="cpu"))(IMAGE)
    with torch.inference_mode():
        cells = network(torch.from_numpy(IMAGE)[None, None] / 255)
        expected = described(network, cells.descriptors, torch.from_numpy(found.keypoints - np.float32(0.5)))
    np.testing.assert_allclose(found.descriptors, expected, atol=1e-3)


def test_between_pixels_they_stay_within_half_a_pixel_of_the_same_maxima() -> None:
    on, between = (SuperPoint(subpixel=choice).load(Runtime(device="cpu"))(IMAGE) for choice in (False, True))
    np.testing.assert_array_equal(on.scores, between.scores)
    moved = np.abs(on.keypoints - between.keypoints)
    assert moved.max() <= 0.5 and moved.mean() > 0.05


def test_the_score_has_to_be_higher_than_the_threshold() -> None:
    found = SuperPoint().load(Runtime(device="cpu"))(IMAGE)
    limit = float(found.scores[20])
    fewer = SuperPoint(threshold=limit).load(Runtime(device="cpu"))(IMAGE)
    np.testing.assert_array_equal(fewer.scores, found.scores[found.scores > limit])


def test_missing_weights_are_told_in_one_line_and_those_of_the_other_network_refused(tmp_path: Path) -> None:
    original = tmp_path / "superpoint_v1.pth"
    original.rename(tmp_path / "superpoint_v6_from_tf.pth")
    with pytest.raises(DataError, match=r"superpoint_v6_from_tf\.pth: these weights are for another network"):
        FEATURES.parse("superpoint").load(Runtime())
    with pytest.raises(WeightsMissingError, match=r"^superpoint_v1\.pth is in none of .*research") as caught:
        FEATURES.parse("superpoint:network=original").load(Runtime())
    assert "\n" not in str(caught.value)
