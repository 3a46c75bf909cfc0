"""Products of bytes: those of whole numbers, and the matches that float32 gives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import ConfigError, DataError
from vloc.matching import MATCHERS, byte_search, similarity
from vloc.matching.byte_search import ByteSearch
from vloc.matching.similarity import SimilaritySearch
from vloc.runtime import Runtime

from .test_nearest_neighbour import brute_force, cosines_of, match, noisy_bytes


@pytest.mark.parametrize("shape", [(1, 2, 3), (128, 520, 400), (128, 7, 257), (256, 300, 1), (5, 40, 90)])
@pytest.mark.parametrize("values", [(0, 256), (0, 3), (250, 256)])
def test_neighbours_are_those_by_whole_numbers(shape: tuple[int, int, int], values: tuple[int, int]) -> None:
    dims, n, k = shape
    rng = np.random.default_rng(n)
    first, second = (rng.integers(*values, (dims, count)).astype(np.float32) for count in (n, k))
    products = first.astype(np.int64).T @ second.astype(np.int64)
    found = ByteSearch()(first, second)
    assert np.array_equal(found.best, products.argmax(axis=1))
    assert np.array_equal(found.products, products.max(axis=1))
    assert np.array_equal(found.column_maxima, products.max(axis=0))
    if k > 1:
        assert np.array_equal(found.runners_up, np.sort(products, axis=1)[:, -2])


def test_blocks_and_searches_after_one_another_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (128, count)).astype(np.float32) for count in (300, 40, 500)]
    monkeypatch.setattr(similarity, "BLOCK", 7 * similarity.LANES)
    floats, whole = SimilaritySearch(), ByteSearch()
    for first, second in [(0, 1), (2, 0), (1, 2)]:
        pair = floats(images[first], images[second]), whole(images[first], images[second])
        assert all(np.array_equal(a, b) for a, b in zip(*pair, strict=True))


@pytest.mark.parametrize("name", ["nn", "bands"])
def test_bytes_match_as_by_float32(name: str) -> None:
    first, second = noisy_bytes(520, 0.7, 1), noisy_bytes(400, 0.7, 2)
    found, expected = (match(f"{name}:product={kind}", first, second) for kind in ("int8", "float32"))
    assert np.array_equal(found.indices, expected.indices) and np.array_equal(found.scores, expected.scores)
    assert list(map(tuple, found.indices.tolist())) == brute_force(cosines_of(first, second))
    alone = match("nn:product=int8", first[:1], first[:1])
    assert alone.indices.tolist() == [[0, 0]]  # without a second best, any ratio is met


def test_floats_are_refused() -> None:
    rows = np.ones((3, 4), np.float16)
    with pytest.raises(DataError, match=r"product=int8: descriptors are floats.*choose float32"):
        match("nn:product=int8", rows, rows)


def test_a_processor_whose_products_saturate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_search, "is_exact", lambda: False)
    with pytest.raises(ConfigError, match=r"product=int8: .* choose product=float32"):
        MATCHERS.parse("nn:product=int8").load(Runtime())
