"""Vectors in half precision: moved bits are the numbers, and the search in them is exact."""

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.retrieval import half_rows
from vloc.retrieval.fusion import FUSIONS
from vloc.retrieval.half_rows import EXPONENT, HalfRows, shifted
from vloc.retrieval.search import search
from vloc.retrieval.sparse_rows import SparseRows, products


def test_moved_bits_are_every_finite_number_of_half_precision():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)][:, None]
    assert (shifted(finite) * EXPONENT).tobytes() == finite.astype(np.float32).tobytes()


@pytest.mark.parametrize("block", [1, 64, 2**17])
def test_products_and_search_are_those_of_the_same_numbers_in_float32(block, monkeypatch):
    monkeypatch.setattr(half_rows, "BLOCK", block)
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(57, 16)).astype(np.float16)
    numbers /= np.linalg.norm(numbers.astype(np.float32), axis=1, keepdims=True).astype(np.float16)
    queries, halves = rng.normal(size=(5, 16)).astype(np.float32), HalfRows(numbers)
    assert np.abs(products(queries, halves) - queries @ numbers.astype(np.float32).T).max() < 1e-5
    fusion = FUSIONS.parse("mean")
    ours, theirs = search([queries], [halves], fusion, 7), search([queries], [numbers.astype(np.float32)], fusion, 7)
    assert ours.rows.tolist() == theirs.rows.tolist()
    assert np.asarray(halves).dtype == np.float32
    assert halves[[3, 1]].tolist() == numbers[[3, 1]].tolist()
    sparse = SparseRows.of(queries)
    assert np.abs(products(sparse, halves) - products(queries, halves)).max() < 1e-6


def test_numbers_that_are_none_are_refused():
    rows = np.full((3, 4), 0.5, np.float32)
    broken = rows.copy()
    broken[1, 2] = np.nan
    for queries, references in ((broken, rows), (rows, broken)):
        with pytest.raises(DataError, match="global descriptor 0: numbers that are not finite"):
            search([queries], [references], FUSIONS.parse("mean"), 2)
