"""What every re-ranking owes to its users, and the order in which several stand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.errors import ConfigError
from vloc.geometry.rigid import Rigid
from vloc.registry import to_text
from vloc.retrieval import FUSIONS
from vloc.retrieval.reranking import RERANKINGS, ListReranking, Searcher, check_order, searcher

LISTED = [made.plugin_name for made in RERANKINGS if isinstance(made(), ListReranking)]


def unit_rows(count: int, dims: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dims)) + 0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def vectors(count: int, seed: int) -> list[np.ndarray]:
    return [unit_rows(count, 8, seed), unit_rows(count, 5, seed + 1)]


def base(count: int = 40, fusion: str = "gharm") -> Searcher:
    centers = np.random.default_rng(5).normal(size=(count, 3))
    poses = Rigid(np.broadcast_to(np.eye(3), (count, 3, 3)), -centers)
    return Searcher(vectors(count, 0), FUSIONS.parse(fusion), poses)


@pytest.fixture(params=LISTED)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_those_that_look_at_no_features_are_known() -> None:
    assert LISTED == ["alpha_qe", "dba", "diffusion", "diverse", "k_reciprocal"]


@pytest.mark.parametrize("fusion", ["gharm", "gharm:standardize=true", "minimum"])
def test_lists_are_as_long_as_asked_and_name_nothing_twice(name: str, fusion: str) -> None:
    find = searcher(base(fusion=fusion), [RERANKINGS.parse(name)])
    for k in (1, 7, 40, 60):
        columns, scores = find(vectors(9, 100), k).padded(9)
        assert columns.shape == (9, min(k, 40))
        assert all(len({*row}) == len(row) for row in columns.tolist()) and np.isfinite(scores).all()


def test_nothing_that_is_not_allowed_is_listed(name: str) -> None:
    find = searcher(base(), [RERANKINGS.parse(name)])
    is_even = np.arange(40) % 2 == 0
    columns, _ = find(vectors(9, 100), 30, lambda rows: np.tile(is_even, (len(rows), 1))).padded(9)
    assert columns.shape == (9, 20) and (columns % 2 == 0).all()


def test_a_query_that_may_be_given_nothing_or_little_gets_no_more(name: str) -> None:
    def allowed(rows: np.ndarray) -> np.ndarray:
        return np.arange(40) < 3 * rows[:, None]  # none, three, six

    ranking = searcher(base(), [RERANKINGS.parse(name)])(vectors(3, 100), 4, allowed)
    assert [len(ranking.of(row)) for row in range(3)] == [0, 3, 4]
    assert ranking.of(1).max() < 3 and ranking.of(2).max() < 6


def test_queries_do_not_know_of_each_other(name: str) -> None:
    find, queries = searcher(base(), [RERANKINGS.parse(name)]), vectors(9, 100)
    whole = find(queries, 10)
    for row in (0, 8):
        alone = find([own[row : row + 1] for own in queries], 10)
        assert alone.of(0).tolist() == whole.of(row).tolist()


def test_nothing_that_is_given_is_changed(name: str) -> None:
    given, queries = base(), vectors(4, 100)
    before = [own.copy() for own in (*given.references, *queries)]
    searcher(given, [RERANKINGS.parse(name)])(queries, 5)
    assert all(np.array_equal(a, b) for a, b in zip(before, (*given.references, *queries), strict=True))


def test_maps_of_one_image_and_images_that_show_nothing_are_fine(name: str) -> None:
    find = searcher(base(1), [RERANKINGS.parse(name)])
    assert find(vectors(2, 100), 5).rows.tolist() == [[0, 0], [1, 0]]
    nothing = [np.zeros((1, 8), np.float32), np.zeros((1, 5), np.float32)]
    ranking = searcher(base(), [RERANKINGS.parse(name)])(nothing, 5)
    assert len(ranking) == 5 and np.isfinite(ranking.scores).all()
    assert len(searcher(base(), [RERANKINGS.parse(name)])([own[:0] for own in nothing], 5)) == 0


def test_all_of_them_go_over_each_other() -> None:
    chosen = [RERANKINGS.parse(text) for text in ("dba", "alpha_qe:k=2", "k_reciprocal", "diffusion", "diverse")]
    check_order(chosen)
    assert len(searcher(base(), chosen)(vectors(3, 100), 10)) == 30
    assert to_text(chosen[1]) == "alpha_qe:k=2"


@pytest.mark.parametrize("texts", [["alpha_qe", "dba"], ["geometric", "diverse"]])
def test_one_that_cannot_stand_there_is_refused(texts: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"name it (first|last)"):
        check_order([RERANKINGS.parse(text) for text in texts])
