"""Descriptors without their zeros are searched, expanded and weighed as those with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.data.features import GlobalDescriptor
from vloc.retrieval import FUSIONS, aggregated
from vloc.retrieval.reranking import RERANKINGS, Searcher, searcher
from vloc.retrieval.search import others, search
from vloc.retrieval.sparse_rows import Rows, SparseRows, products, stacked

FUSION = FUSIONS.parse("gharm")


def vectors(count: int, seed: int, dims: int = 400) -> np.ndarray:
    """Unit vectors of which one number in ten is not zero; the third shows nothing."""
    rng = np.random.default_rng(seed)
    rows = np.where(rng.random((count, dims)) < 0.1, rng.random((count, dims)), 0).astype(np.float32)
    rows[2] = 0
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def both(rows: np.ndarray) -> tuple[Rows, Rows]:
    """As they are, and without zeros."""
    return rows, stacked(GlobalDescriptor(row, is_sparse=True) for row in rows)


def test_zeros_are_neither_stored_nor_held() -> None:
    dense, sparse = both(vectors(7, 0))
    assert isinstance(sparse, SparseRows) and sparse.shape == dense.shape and len(sparse) == 7
    assert sparse.matrix.nnz == np.count_nonzero(dense)
    for row in dense:
        arrays = GlobalDescriptor(row, is_sparse=True).to_arrays()
        assert len(arrays["values"]) == np.count_nonzero(row) == len(arrays["columns"])
        again = GlobalDescriptor.from_arrays(arrays)
        assert again.is_sparse and np.array_equal(again.vector, row)


def test_products_are_those_of_dense_vectors() -> None:
    queries, references = both(vectors(5, 1)), both(vectors(8, 2))
    for own in queries:
        for other in references:
            found = products(own, other)
            assert type(found) is np.ndarray and found.dtype == np.float32
            np.testing.assert_allclose(found, queries[0] @ references[0].T, atol=1e-6)


@pytest.mark.parametrize("fused", [False, True])
def test_a_search_gives_the_same_images_with_the_same_scores(fused: bool) -> None:
    queries, references = both(vectors(20, 1)), both(vectors(50, 2))
    more = [vectors(20, 3, 16)], [vectors(50, 4, 16)]
    found = [
        search([q, *more[0][:fused]], [r, *more[1][:fused]], FUSION, 9)
        for q, r in zip(queries, references, strict=True)
    ]
    assert np.array_equal(found[0].rows, found[1].rows)
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-6)


@pytest.mark.parametrize("name", ["alpha_qe", "alpha_qe:alpha=0", "dba", "k_reciprocal", "diffusion"])
def test_rerankings_give_the_same(name: str) -> None:
    queries, references = both(vectors(6, 1)), both(vectors(40, 2))
    found = [
        searcher(Searcher([r], FUSION), [RERANKINGS.parse(name)])([q], 8)
        for q, r in zip(queries, references, strict=True)
    ]
    alone = searcher(Searcher([references[1]], FUSION), [RERANKINGS.parse(name)])([queries[0]], 8)  # as the Localizer
    for each in (found[1], alone):
        assert np.array_equal(found[0].rows, each.rows)
        np.testing.assert_allclose(found[0].scores, each.scores, atol=1e-5)


def test_images_of_one_map_are_paired_the_same() -> None:
    found = [search([rows], [rows], FUSION, 5, others(30)) for rows in both(vectors(30, 5))]
    assert np.array_equal(found[0].rows, found[1].rows)


def test_a_map_of_many_words_is_stored_without_zeros_and_finds_the_same(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"extract": "sift:max_keypoints=500", "describe": ["bow:num_words=500"], "pair": {"num_pairs": 6}}
    rankings, sizes = [], []
    for limit in (0.0, 1.0):
        monkeypatch.setattr(aggregated, "INVERTED_UNDER", limit)
        map_ = vloc.build_map(gallery / "mapping", tmp_path / f"{limit}", **few)
        found = vloc.localize(map_, vloc.read(gallery / "query"), tmp_path / f"{limit}.txt")
        rankings.append([estimate.retrieved for estimate in found])
        sizes.append(isinstance(map_.vectors.value[0], SparseRows))
    assert rankings[0] == rankings[1] and sizes == [False, True]
