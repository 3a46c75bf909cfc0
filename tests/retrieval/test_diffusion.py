"""Walks over the map against the formula in dense matrices, and along a curve."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.retrieval import FUSIONS
from vloc.retrieval.diffusion import laplacian
from vloc.retrieval.reranking import RERANKINGS, Searcher, searcher


def test_the_system_is_the_normalised_graph_of_mutual_neighbours() -> None:
    # 0 and 1 name each other, 1 and 2 too; 3 names 0, which does not name it
    near = np.array([[1, -1], [0, 2], [1, -1], [0, -1]])
    affinity = np.array([[0.5, 0], [0.5, 0.25], [0.25, 0], [0.9, 0]], np.float32)
    # degrees 0.5, 0.75, 0.25, none
    first, second = 0.5 / np.sqrt(0.5 * 0.75), 0.25 / np.sqrt(0.75 * 0.25)
    expected = np.eye(4)
    expected[0, 1] = expected[1, 0] = -0.9 * first
    expected[1, 2] = expected[2, 1] = -0.9 * second
    np.testing.assert_allclose(laplacian(near, affinity, 0.9).toarray(), expected, rtol=1e-6)


def test_scores_are_the_solution_of_the_dense_system() -> None:
    references = np.abs(np.random.default_rng(0).normal(size=(30, 6))).astype(np.float32)
    references /= np.linalg.norm(references, axis=1, keepdims=True)
    cosines = (references @ references.T).astype(np.float64)
    np.fill_diagonal(cosines, -1)
    is_near = cosines >= np.sort(cosines, axis=1)[:, [-5]]
    affinity = np.where(is_near & is_near.T, cosines, 0) ** 3
    degrees = np.maximum(affinity.sum(axis=1), 1e-9)
    walk = np.eye(30) - 0.9 * affinity / np.sqrt(np.outer(degrees, degrees))
    query = references[:1] * 0.8 + references[1:2] * 0.6
    query /= np.linalg.norm(query)
    similar = (references @ query[0]).astype(np.float64)
    start = np.where(similar >= np.sort(similar)[-3], similar, 0) ** 3
    expected = np.linalg.solve(walk, start)
    made = RERANKINGS.parse("diffusion:depth=30,k=5,k_query=3,alpha=0.9")
    ranking = searcher(Searcher([references], FUSIONS.parse("mean")), [made])([query], 5)
    best = np.argsort(-expected)[:5]
    assert ranking.of(0).tolist() == best.tolist()
    assert ranking.scores == pytest.approx(expected[best], rel=1e-3)


def test_what_lies_along_the_curve_comes_before_what_is_nearer_across() -> None:
    # 13 views on an arc of 120 degrees of the first two axes, and one off it that is nearer than the far end
    angles = np.linspace(0, np.radians(120), 13)
    curve = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    off = np.array([[np.cos(np.radians(75)), 0, np.sin(np.radians(75))]])
    references, query = np.concatenate([curve, off]).astype(np.float32), np.array([[1, 0, 0]], np.float32)
    plain = Searcher([references], FUSIONS.parse("mean"))
    assert plain([query], 14).of(0).tolist().index(13) == 8  # before the curve's views beyond 75 degrees
    made = RERANKINGS.parse("diffusion:k=2,k_query=1")
    assert searcher(plain, [made])([query], 14).of(0).tolist()[-1] == 13
