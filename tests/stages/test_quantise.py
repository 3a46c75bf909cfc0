"""Keypoints and matches of three images, from places worked by hand."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from vloc.data.photo_matches import PhotoMatches
from vloc.features.matched import Matched
from vloc.runtime import Runtime
from vloc.stage import Results
from vloc.stages.quantise import ASSIGN, QUANTISE, PairsOf, pairs_of

SIZES = {"a": (100, 50), "b": (50, 100), "c": (10, 10)}
CONFIG = Matched(cell=0.02)  # 2 px of a and b


def found(first: list[tuple[float, float]], second: list[tuple[float, float]], scores: list[float]) -> PhotoMatches:
    return PhotoMatches(*(np.array(rows, np.float32) for rows in (first, second, scores)))


class Stored(Results[PhotoMatches]):
    """Results in memory, which their scores tell apart."""

    reference = fingerprint = ""
    failures: ClassVar[dict[tuple[str, str], str]] = {}

    def __init__(self, rows: Mapping[tuple[str, str], PhotoMatches]) -> None:
        self._rows = rows

    def __getitem__(self, pair: tuple[str, str]) -> PhotoMatches:
        return self._rows[pair]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def fingerprint_of(self, pair: tuple[str, str]) -> str:
        return str(self[pair].scores)


FOUND = Stored(
    {
        ("a", "b"): found([(8.5, 8.5), (16.5, 8.5), (9.0, 9.1)], [(20, 20), (30, 20), (40, 40)], [0.9, 0.5, 0.6]),
        ("b", "a"): found([(20.5, 20.5)], [(8.5, 8.5)], [0.3]),
    }
)


def test_keypoints_come_from_both_sides_of_all_pairs_of_an_image() -> None:
    run = QUANTISE.start(CONFIG, Runtime(), pairs_of(FOUND, list(SIZES)), SIZES)
    a, b, c = run(iter(SIZES))
    np.testing.assert_allclose(a.keypoints, [(8.5, 8.5), (16.5, 8.5)])
    np.testing.assert_allclose(a.scores, [1.8, 0.5], rtol=1e-6)
    np.testing.assert_allclose(b.keypoints, [(20, 20), (40, 40), (30, 20)])
    assert len(c) == 0


def test_matches_count_for_the_nearest_keypoints_and_each_keypoint_once() -> None:
    a, b, c = QUANTISE.start(CONFIG, Runtime(), pairs_of(FOUND, list(SIZES)), SIZES)(iter(SIZES))
    run = ASSIGN.start(CONFIG, Runtime(), FOUND, {"a": a, "b": b, "c": c}, SIZES)
    first, second = run(iter(FOUND))
    assert first.indices.tolist() == [[0, 0], [1, 2]]  # the third is of the keypoint of the first, and weaker
    assert second.indices.tolist() == [[0, 0]]


def test_an_image_depends_on_its_own_pairs() -> None:
    other = Stored({**FOUND, ("b", "c"): found([(1, 1)], [(2, 2)], [0.7])})
    table, changed = pairs_of(FOUND, list(SIZES)), pairs_of(other, list(SIZES))
    assert table.fingerprint_of("a") == changed.fingerprint_of("a")
    assert table.fingerprint_of("b") != changed.fingerprint_of("b")
    assert table.fingerprint_of("c") != changed.fingerprint_of("c")
    assert "a" in table and "d" not in table


def test_pairs_that_failed_are_left_out() -> None:
    table = PairsOf(FOUND, {"q": [("a", "b"), ("a", "gone")]})
    assert [pair for pair, _ in table["q"]] == [("a", "b")]
    assert table.fingerprint_of("q") == PairsOf(FOUND, {"q": [("a", "b")]}).fingerprint_of("q")
