"""Descriptors of which each is known to belong to one other, matched by name."""

from __future__ import annotations

import numpy as np

from vloc.data.features import LocalFeatures, Matches
from vloc.matching.base import ImageSize
from vloc.matching.nearest_neighbour import NearestNeighbour
from vloc.runtime import Runtime
from vloc.stages.match import MATCH, tiled

from .two_views import features_at


def things(*kinds: int) -> np.ndarray:
    """One RootSIFT-like descriptor a keypoint, of length 512 (nearly): four bytes for what it shows, else zeros."""
    return (np.eye(8).repeat(4, axis=1)[list(kinds)] * 255).astype(np.uint8)


FEATURES = {
    "a": features_at(np.zeros((3, 2)), things(0, 1, 2)),
    "b": features_at(np.zeros((4, 2)), things(7, 2, 0, 6)),
    "c": features_at(np.zeros((2, 2)), things(1, 6)),
    "none": features_at([], things()),
}


def test_every_pair_gets_the_matches_of_its_two_images_in_order() -> None:
    run = MATCH.start(NearestNeighbour(), Runtime(), FEATURES, dict.fromkeys(FEATURES, (8, 8)))
    found = run([("a", "b"), ("b", "c"), ("c", "a"), ("a", "none"), ("b", "a")])
    expected = [[[0, 2], [2, 1]], [[3, 1]], [[0, 1]], [], [[1, 2], [2, 0]]]
    assert [matches.indices.tolist() for matches in found] == expected


def test_tiles_keep_the_pairs_and_let_neighbours_share_images() -> None:
    pairs = [(a, b) for a in "abcdef" for b in "abcdef" if a < b]
    ordered = tiled(pairs[::-1], tile=2)
    assert sorted(ordered) == pairs
    # tiles are ab, cd, ef: first all pairs within ab, then those of ab with cd, with ef, then of cd ...
    assert ordered == [
        ("a", "b"),
        *[("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")],
        *[("a", "e"), ("a", "f"), ("b", "e"), ("b", "f")],
        ("c", "d"),
        *[("c", "e"), ("c", "f"), ("d", "e"), ("d", "f")],
        ("e", "f"),
    ]


def test_unless_told_a_tile_has_a_quarter_of_the_images_that_stay_in_memory() -> None:
    names = [f"{i:02}" for i in range(40)]
    pairs = [(a, b) for a in names for b in names if a < b]
    assert tiled(pairs) == tiled(pairs, tile=16)


class Preparing:
    """A matcher that matches nothing, and tells what it prepared."""

    plugin_name = "preparing"

    def __init__(self) -> None:
        self.prepared: list[int] = []

    def load(self, runtime: Runtime) -> Preparing:
        return self

    def prepare(self, features: LocalFeatures, size: ImageSize) -> None:
        self.prepared.append(len(features))

    def match(self, first: None, second: None) -> Matches:
        return Matches.none()


def test_the_64_images_prepared_last_stay_in_memory() -> None:
    names = [str(i) for i in range(65)]
    matcher = Preparing()
    run = MATCH.start(matcher, Runtime(), dict.fromkeys(names, FEATURES["a"]), dict.fromkeys(names, (8, 8)))
    assert len(list(run([("0", name) for name in names[1:64]]))) == 63
    list(run([("63", "1"), ("62", "0")]))
    assert len(matcher.prepared) == 64
    list(run([("0", "64"), ("2", "64")]))  # the third is the one used longest ago
    assert len(matcher.prepared) == 66
