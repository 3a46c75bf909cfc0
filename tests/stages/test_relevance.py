"""Average precision by the trapezoid rule with junk, worked by hand."""

from __future__ import annotations

import pytest

from vloc.data.relevance import Relevance
from vloc.errors import DataError
from vloc.retrieval.precision import average_precision
from vloc.stages.relevance import evaluate_relevance, places_of


def test_a_list_worked_by_hand_with_junk_between() -> None:
    # Without the junk: hit, miss, hit, miss; the third relevant image was not retrieved.
    places = places_of(["a", "junk", "miss", "b", "other"], {"a", "b", "c"}, {"junk"})
    assert places.tolist() == [0, 2]
    # (1 + 1) / 2 for the first, (1/2 + 2/3) / 2 for the second, a third of the recall each
    assert average_precision(places, 3) == pytest.approx((1 + 7 / 12) / 3)


def test_each_setting_ignores_what_it_does_not_ask_for() -> None:
    ranked = {"q": ["h", "j", "e", "x"]}
    lists = {"q": Relevance(frozenset("e"), frozenset("h"), frozenset("j"))}
    found = {precision.setting: precision for precision in evaluate_relevance(ranked, lists, [1])}
    assert {name: precision.mean_average_precision for name, precision in found.items()} == pytest.approx(
        {"easy": 100, "medium": 100, "hard": 100}
    )
    ranked = {"q": ["x", "h", "j", "e"]}
    found = {precision.setting: precision for precision in evaluate_relevance(ranked, lists, [1])}
    # easy and hard: one relevant image in the second place, (0 + 1/2) / 2; medium: that, and (1/2 + 2/3) / 2
    assert [found[name].mean_average_precision for name in ("easy", "medium", "hard")] == pytest.approx(
        [25, 100 * (1 / 4 + 7 / 12) / 2, 25]
    )
    assert found["medium"].at == {1: 0.0}


def test_queries_without_relevant_images_are_no_part_of_the_mean() -> None:
    lists = {"q": Relevance(easy=frozenset("a")), "p": Relevance(hard=frozenset("b"))}
    easy, medium, hard = evaluate_relevance({"q": ["a"], "p": ["a", "b"]}, lists, [])
    assert (easy.num_queries, medium.num_queries, hard.num_queries) == (1, 2, 1)
    assert easy.mean_average_precision == 100
    assert medium.mean_average_precision == pytest.approx((100 + 25) / 2)


def test_names_may_have_more_folders_than_in_the_lists() -> None:
    (easy, _) = evaluate_relevance({"x/q": ["y/b", "y/a"]}, {"q": Relevance(easy=frozenset("a"))}, [])
    assert easy.mean_average_precision == 25


def test_lists_of_other_queries_are_refused() -> None:
    with pytest.raises(DataError, match="none of the 1 queries"):
        evaluate_relevance({"q": ["a"]}, {"other": Relevance(easy=frozenset("a"))}, [])
