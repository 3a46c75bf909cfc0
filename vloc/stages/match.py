"""Pair of images -> matches of their descriptors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair, Pairs
from ..errors import DataError
from ..matching.base import BatchMatcher, ImageSize, Matcher
from ..runtime import Runtime
from ..stage import EachStage, Run

PREPARED_IMAGES = 64
"""images whose prepared descriptors (2 MB for 4,096 of SIFT) stay in memory"""


def tiled(pairs: Iterable[Pair], tile: int = PREPARED_IMAGES // 4) -> Pairs:
    """The same pairs in an order in which neighbours share images, tile by tile of the pair matrix of sorted names."""
    found = Pairs.of(pairs)
    order = sorted(np.unique(found.rows).tolist(), key=found.names.__getitem__)
    rank = np.zeros(len(found.names), np.int64)
    rank[order] = np.arange(len(order))
    first, second = rank[found.rows].T
    tiles = len(order) // tile + 1
    place_of_tile = first // tile * tiles + second // tile
    place = (place_of_tile * tile + first % tile) * tile + second % tile
    return found.at(np.argsort(place, kind="stable"))


def _start(
    matcher: Matcher, runtime: Runtime, features: Mapping[str, LocalFeatures], sizes: Mapping[str, ImageSize]
) -> Run[Pair, Matches]:
    loaded = matcher.load(runtime)
    prepared = lru_cache(PREPARED_IMAGES)(lambda name: loaded.prepare(features[name], sizes[name]))

    def run(pairs: Iterable[Pair]) -> Iterator[Matches]:
        return (loaded.match(prepared(first), prepared(second)) for first, second in pairs)

    def run_together(pairs: Iterable[Pair]) -> Iterator[Matches]:
        assert isinstance(loaded, BatchMatcher)  # noqa: S101 - chosen for that
        given = list(pairs)
        try:
            yield from loaded.match_all([(prepared(first), prepared(second)) for first, second in given])
        except DataError:
            yield from run(given)  # one by one, to tell which it is

    return run_together if isinstance(loaded, BatchMatcher) else run


MATCH: EachStage[Pair, Matches] = EachStage("match", 1, Matches, _start, chunk=512)
