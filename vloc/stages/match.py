"""Pair of images -> matches of their descriptors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from ..data.features import LocalFeatures, Matches
from ..errors import DataError
from ..matching.base import BatchMatcher, ImageSize, Matcher
from ..runtime import Runtime
from ..stage import EachStage, Run

PREPARED_IMAGES = 64
"""images whose prepared descriptors (2 MB for 4,096 of SIFT) stay in memory"""

Pair = tuple[str, str]


def tiled(pairs: Sequence[Pair], tile: int = PREPARED_IMAGES // 4) -> list[Pair]:
    """The same pairs in an order in which neighbours share images, tile by tile of the pair matrix."""
    order = {name: i // tile for i, name in enumerate(sorted({name for pair in pairs for name in pair}))}
    return sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]], pair))


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
