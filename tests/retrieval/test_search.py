from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vloc.errors import DataError
from vloc.retrieval import FUSIONS, search
from vloc.retrieval.fusion import Fusion
from vloc.retrieval.search import top_k

MEAN = FUSIONS.parse("mean")


def unit_rows(count: int, dims: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dims))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 8), st.integers(0, 12), st.integers(0, 14), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=200)
def test_top_k_is_a_full_sort_cut_short_with_ties_by_column(q: int, r: int, k: int, seed: int) -> None:
    similarity = np.random.default_rng(seed).integers(-2, 3, (q, r)).astype(np.float32)
    columns, values = top_k(similarity, k)
    expected = [sorted(range(r), key=lambda column: (-row[column], column))[:k] for row in similarity]
    assert columns.tolist() == expected
    assert values.tolist() == [[row[c] for c in order] for row, order in zip(similarity, expected, strict=True)]


def test_queries_find_themselves_first() -> None:
    vectors = unit_rows(30)
    ranking = search.search([vectors], [vectors], MEAN, 3)
    assert ranking.rows.dtype == np.uint32
    assert ranking.rows.shape == (90, 2)
    assert ranking.rows[::3].tolist() == [[i, i] for i in range(30)]
    assert ranking.of(4)[0] == 4


def test_nobody_is_its_own_partner_where_that_is_excluded() -> None:
    vectors = unit_rows(5)
    ranking = search.search([vectors], [vectors], MEAN, 10, search.others(5))
    assert len(ranking) == 5 * 4
    assert (ranking.rows[:, 0] != ranking.rows[:, 1]).all()
    assert np.isfinite(ranking.scores).all()


@pytest.mark.parametrize("allowed", [search.others(40), None])
def test_the_size_of_blocks_changes_nothing(allowed: search.Allowed | None, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = [unit_rows(40, 16, 0), unit_rows(40, 8, 1)]
    whole = search.search(vectors, vectors, FUSIONS.parse("gharm"), 7, allowed)
    monkeypatch.setattr(search, "PRODUCTS", 7 * 40)
    monkeypatch.setattr(search, "BLOCK", 3 * 40)
    blocked = search.search(vectors, vectors, FUSIONS.parse("gharm"), 7, allowed)
    assert np.array_equal(whole.rows, blocked.rows)
    assert np.allclose(whole.scores, blocked.scores, atol=1e-6)


@dataclass(frozen=True)
class Watched(Fusion):
    """A fusion that keeps the shapes of what it is given."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def _fuse(self, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        self.shapes.append(s.shape)
        return s[0]


def test_no_more_than_a_million_similarities_are_fused_at_a_time() -> None:
    fusion, queries = Watched(), np.ones((600, 1), np.float32)
    search.search([queries, queries], [np.ones((2**12, 1), np.float32)] * 2, fusion, 1)
    assert fusion.shapes == [(2, 256, 2**12), (2, 256, 2**12), (2, 88, 2**12)]


def test_fused_similarity_decides() -> None:
    query, references = np.eye(3, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)
    other_query = np.array([[0, 1]], np.float32)
    other_references = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    arguments = [query, other_query], [references, other_references]
    assert search.search(*arguments, FUSIONS.parse("minimum"), 1).scores.tolist() == [0.0]
    ranking = search.search(*arguments, FUSIONS.parse("mean"), 3)
    assert ranking.rows[:, 1].tolist() == [0, 2, 1]  # (1 + 0) / 2, (0 + 1) / 2, (0 + 0.8) / 2
    assert ranking.scores == pytest.approx([0.5, 0.5, 0.4])


def test_an_image_that_shows_nothing_still_gets_candidates_in_order() -> None:
    ranking = search.search([np.zeros((1, 16), np.float32)], [unit_rows(4)], MEAN, 3)
    assert ranking.rows.tolist() == [[0, 0], [0, 1], [0, 2]]


@pytest.mark.parametrize(("q", "r"), [(0, 5), (5, 0), (0, 0)])
def test_nothing_to_search_gives_an_empty_ranking(q: int, r: int) -> None:
    ranking = search.search([unit_rows(q)], [unit_rows(r)], MEAN, 3)
    assert ranking.rows.shape == (0, 2)
    assert ranking.scores.shape == (0,)


def test_nothing_to_search_has_no_length_to_be_refused() -> None:
    none, some = np.zeros((0, 0), np.float32), unit_rows(3)
    assert len(search.search([none], [some], MEAN, 3)) == len(search.search([some], [none], MEAN, 3)) == 0


def test_descriptors_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="16 numbers for queries and 8 for the map"):
        search.search([unit_rows(2, 16)], [unit_rows(2, 8)], MEAN, 1)


def test_descriptors_that_are_not_finite_are_refused() -> None:
    broken = unit_rows(3)
    broken[1, 2] = np.nan
    with pytest.raises(DataError, match="not finite"):
        search.search([broken], [unit_rows(2)], MEAN, 1)
