"""Queries and references with their neighbours added, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.retrieval import FUSIONS
from vloc.retrieval.expansion import expanded
from vloc.retrieval.reranking import RERANKINGS, Searcher, searcher

MEAN = FUSIONS.parse("mean")
X, Y, SLANTED, AWAY = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]


def rows(*vectors: list[float]) -> np.ndarray:
    return np.array(vectors, np.float32)


@pytest.mark.parametrize(
    ("alpha", "sums"),
    # x + 0.6^alpha (0.6, 0.8); of a cosine of 0 the power 0 is 1, as in plain averages
    [(1, [1.36, 0.48]), (3, [1 + 0.216 * 0.6, 0.216 * 0.8]), (0, [1.6, 0.8])],
)
def test_a_neighbour_counts_by_a_power_of_its_cosine(alpha: float, sums: list[float]) -> None:
    (found,) = expanded([rows(X)], [rows(SLANTED, Y)], np.array([[0]]), alpha)
    np.testing.assert_allclose(found, [np.array(sums) / np.linalg.norm(sums)], rtol=1e-6)


def test_opposite_and_missing_neighbours_add_nothing() -> None:
    (found,) = expanded([rows(X, X)], [rows(AWAY, SLANTED)], np.array([[0, -1], [0, 0]]), 3)
    np.testing.assert_allclose(found, rows(X, X))


def test_every_descriptor_weighs_by_itself() -> None:
    first, second = expanded([rows(X), rows(Y)], [rows(SLANTED), rows(Y)], np.array([[0]]), 1)
    np.testing.assert_allclose(first, rows([1.36, 0.48]) / np.hypot(1.36, 0.48), rtol=1e-6)
    np.testing.assert_allclose(second, rows(Y))


def test_an_expanded_query_finds_what_its_neighbour_is_near_to() -> None:
    # cosines with x: 0.9 of the first, 0.3 of the second and 0.35 of the third, which is on the other side
    def at(cosine: float, sign: int) -> list[float]:
        return [cosine, sign * float(np.sqrt(1 - cosine**2))]

    references = rows(at(0.9, 1), at(0.3, 1), at(0.35, -1))
    plain = Searcher([references], MEAN)
    assert plain([rows(X)], 3).of(0).tolist() == [0, 2, 1]
    assert searcher(plain, [RERANKINGS.parse("alpha_qe:k=1,alpha=3")])([rows(X)], 3).of(0).tolist() == [0, 1, 2]


def test_augmented_references_are_those_that_are_searched() -> None:
    augmented = searcher(Searcher([rows(X, SLANTED, AWAY)], MEAN), [RERANKINGS.parse("dba:k=1,alpha=1")])
    # x and the slanted one take each other in, the opposite one has nobody: its nearest has a negative cosine
    expected = rows([1.36, 0.48], [0.6 + 0.6, 0.8], [-1, 0])
    np.testing.assert_allclose(
        augmented.references[0], expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6
    )
    np.testing.assert_allclose(augmented([rows(X)], 1).scores, 1.36 / np.hypot(1.36, 0.48), rtol=1e-6)
