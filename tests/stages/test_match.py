"""Descriptors of which each is known to belong to one other, matched by name."""

from __future__ import annotations

import numpy as np

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
