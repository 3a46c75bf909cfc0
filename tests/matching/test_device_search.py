"""Nearest neighbours by torch, here on the CPU: the matches that numpy gives, pair by pair and many at a time."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.data.features import Matches  # noqa: E402
from vloc.errors import DataError  # noqa: E402
from vloc.matching import device_search  # noqa: E402
from vloc.matching.device_search import DeviceNearestNeighbour  # noqa: E402
from vloc.matching.nearest_neighbour import NearestNeighbour  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402
from vloc.stages.match import MATCH  # noqa: E402

from .test_nearest_neighbour import SIZE, brute_force, cosines_of, match, noisy_bytes, of  # noqa: E402


def on_device(settings: NearestNeighbour) -> DeviceNearestNeighbour:
    return DeviceNearestNeighbour(settings, torch.device("cpu"))


def matched(settings: NearestNeighbour, first: np.ndarray, second: np.ndarray) -> Matches:
    loaded = on_device(settings)
    return loaded.match(loaded.prepare(of(first), SIZE), loaded.prepare(of(second), SIZE))


@pytest.mark.parametrize("ratio", [0.8, 1.0])
@pytest.mark.parametrize("mutual", [True, False])
def test_bytes_match_as_by_definition(ratio: float, mutual: bool) -> None:
    first, second = noisy_bytes(300, 0.7, 1), noisy_bytes(200, 0.7, 2)
    found = matched(NearestNeighbour(ratio=ratio, mutual=mutual), first, second)
    assert list(map(tuple, found.indices.tolist())) == brute_force(cosines_of(first, second), ratio, mutual)
    expected = match(f"nn:ratio={ratio},mutual={str(mutual).lower()}", first, second)
    assert np.array_equal(found.indices, expected.indices) and np.array_equal(found.scores, expected.scores)


def test_floats_match_as_by_numpy() -> None:
    rng = np.random.default_rng(0)
    things = rng.normal(size=(400, 128))
    first, second = ((things[:n] + 0.5 * rng.normal(size=(n, 128))).astype(np.float16) for n in (400, 350))
    found, expected = matched(NearestNeighbour(), first, second), match("nn", first, second)
    assert np.array_equal(found.indices, expected.indices) and len(found) > 200
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def test_of_equally_similar_ones_the_first_counts() -> None:
    rows = np.zeros((4, 8), np.uint8)
    rows[:, 0] = 200
    assert matched(NearestNeighbour(ratio=1, mutual=False), rows, rows).indices.tolist() == [[i, 0] for i in range(4)]
    assert matched(NearestNeighbour(ratio=1), rows, rows).indices.tolist() == [[0, 0]]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = noisy_bytes(300, 0.7, 1), noisy_bytes(200, 0.7, 2)
    whole = matched(NearestNeighbour(), first, second)
    monkeypatch.setattr(device_search, "PRODUCTS", 200 * 7)
    parts = matched(NearestNeighbour(), first, second)
    assert np.array_equal(whole.indices, parts.indices) and np.array_equal(whole.scores, parts.scores)


def test_many_pairs_have_the_matches_of_each() -> None:
    loaded, images = on_device(NearestNeighbour()), [noisy_bytes(n, 0.7, n) for n in (120, 1, 90)]
    images.append(np.zeros((0, 128), np.uint8))
    held = [loaded.prepare(of(image), SIZE) for image in images]
    pairs = [(0, 2), (3, 0), (1, 2), (2, 0), (0, 3)]
    found = loaded.match_all([(held[a], held[b]) for a, b in pairs])
    for (a, b), matches in zip(pairs, found, strict=True):
        assert np.array_equal(matches.indices, match("nn", images[a], images[b]).indices)
    assert len(found[1]) == len(found[4]) == 0 < len(found[0])


class OnDevice:
    """A matcher that takes pairs together."""

    plugin_name = "on_device"

    def load(self, runtime: Runtime) -> DeviceNearestNeighbour:
        return on_device(NearestNeighbour())


def test_a_stage_takes_pairs_together_and_still_tells_which_cannot_be_matched() -> None:
    images = {name: of(noisy_bytes(80, 0.7, seed)) for seed, name in enumerate("abc")}
    images["broken"] = of(np.ones((80, 64), np.float16))
    run = MATCH.start(OnDevice(), Runtime(), images, dict.fromkeys(images, SIZE))
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    for pair, found in zip(pairs, run(iter(pairs)), strict=True):
        expected = match("nn", *(images[name].descriptors for name in pair))
        assert np.array_equal(found.indices, expected.indices) and len(found) > 4
    results = run(iter([("a", "b"), ("a", "broken"), ("b", "c")]))
    assert len(next(results)) > 4
    with pytest.raises(DataError, match="cannot match"):
        next(results)
