"""Reciprocal neighbours by hand, and the whole against the paper's formulas written with sets and dense rows."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.retrieval import FUSIONS
from vloc.retrieval.k_reciprocal import distances, reciprocal
from vloc.retrieval.reranking import RERANKINGS, Searcher, searcher

MEAN = FUSIONS.parse("mean")


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.abs(np.random.default_rng(seed).normal(size=(count, 5)))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_neighbours_are_reciprocal_where_each_names_the_other() -> None:
    near = np.array([[1, 2], [0, 3], [3, 1], [2, -1]])
    assert reciprocal(near, 2).tolist() == [[True, False], [True, False], [True, False], [True, False]]
    assert reciprocal(near, 1).tolist() == [[True], [True], [True], [True]]
    # 2 now names 0 first, and 0 does not name it among its first
    assert reciprocal(np.array([[1, 2], [0, 3], [0, 1], [2, -1]]), 1).tolist() == [[True], [True], [False], [False]]


def test_an_image_is_at_no_distance_from_itself_whatever_the_operator() -> None:
    for text in ("mean", "gharm", "gharm:standardize=true", "maximum"):
        itself = FUSIONS.parse(text.partition(":")[0]).fuse([np.ones((1, 1), np.float32)] * 2)
        assert distances(FUSIONS.parse(text), 2, itself) == pytest.approx(0)


def by_the_paper(references: np.ndarray, query: np.ndarray, k1: int, k2: int, share: float) -> np.ndarray:
    """Final distances (eq. 12) of every reference, from its equations 1 to 11 on sets; nobody has the query near."""
    count = len(references)
    cosines = np.clip(references @ references.T, 0, 1).astype(np.float64)
    np.fill_diagonal(cosines, -1)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :-1]
    similar = (references @ query).astype(np.float64)
    listed = np.argsort(-similar, kind="stable")

    def mutual(g: int, k: int) -> set[int]:
        return {int(c) for c in order[g, :k] if g in order[c, :k]}

    def encoding(first: set[int], own: set[int], apart: dict[int, float]) -> np.ndarray:
        taken = set(own)
        for c in first:
            closer = {c} | mutual(c, k1 // 2)
            taken |= closer if len(closer & own) >= 2 / 3 * len(closer) else set()
        row = np.zeros(count)
        for column in taken:
            row[column] = np.exp(-apart.get(column, 1.0))
        return row

    def map_row(g: int) -> np.ndarray:
        apart = {int(c): 1 - cosines[g, c] for c in order[g, :k1]} | {g: 0.0}
        return encoding(mutual(g, k1), {g} | mutual(g, k1), apart)

    rows = np.stack([map_row(g) for g in range(count)])
    averaged = np.stack([rows[[g, *order[g, : k2 - 1]]].mean(axis=0) for g in range(count)])
    first = {int(g) for g in listed[:k1] if similar[g] >= cosines[g, order[g, k1 - 1]]}
    own = encoding(first, first, {int(g): 1 - similar[g] for g in listed})
    encoded = (own + averaged[listed[: k2 - 1]].sum(axis=0)) / k2
    smaller = np.minimum(encoded, averaged).sum(axis=1)
    larger = np.maximum(encoded, averaged).sum(axis=1) + 1 / k2  # the query's own place
    return (1 - share) * (1 - smaller / larger) + share * (1 - similar)


@pytest.mark.parametrize(("k1", "k2", "share"), [(6, 3, 0.3), (4, 1, 0.0), (8, 4, 1.0)])
def test_the_order_is_that_of_the_papers_formulas(k1: int, k2: int, share: float) -> None:
    references, query = unit_rows(25, 0), unit_rows(1, 9)
    made = RERANKINGS.parse(f"k_reciprocal:depth=25,k1={k1},k2={k2},share={share}")
    ranking = searcher(Searcher([references], MEAN), [made])([query], 25)
    expected = by_the_paper(references, query[0], k1, k2, share)
    assert ranking.scores == pytest.approx(1 - np.sort(expected), abs=1e-5)
    assert expected[ranking.of(0)] == pytest.approx(np.sort(expected), abs=1e-5)
