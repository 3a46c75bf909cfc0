"""Places that photos match at -> keypoints of every image, and the matches between these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair, Pairs, PairsByImage
from ..data.photo_matches import PhotoMatches
from ..features.matched import Matched
from ..matching.base import ImageSize
from ..matching.quantised import nearest, one_to_one, quantised
from ..runtime import Runtime
from ..stage import EachStage, Results, Run

M = TypeVar("M", PhotoMatches, Matches)


@dataclass(frozen=True, eq=False)
class PairsOf(Generic[M]):
    """The pairs of every image and their matches, as a table of a stage: read from disk an image at a time."""

    found: Results[M]
    pairs: Mapping[str, Sequence[Pair]]

    def __contains__(self, name: object) -> bool:
        """Whether it is one of these images."""
        return name in self.pairs

    def __getitem__(self, name: str) -> list[tuple[Pair, M]]:
        """Those of an image, failed pairs left out."""
        return [(pair, self.found[pair]) for pair in self.pairs[name] if pair in self.found]

    def fingerprint_of(self, name: str) -> str:
        """Changes when any of its matches may have, or when there are others."""
        there = [pair for pair in self.pairs[name] if pair in self.found]
        marks = [f"{pair} {self.found.fingerprint_of(pair)}" for pair in there]
        return blake2b(" ".join(marks).encode(), digest_size=16).hexdigest()


def pairs_of(found: Results[PhotoMatches], names: Sequence[str]) -> PairsOf[PhotoMatches]:
    """For every image the pairs that it is one of, in their order; the pairs are between these images."""
    return PairsOf(found, PairsByImage(Pairs.of(found.succeeded), names))


def keypoints(config: Matched, name: str, size: ImageSize, found: Sequence[tuple[Pair, PhotoMatches]]) -> LocalFeatures:
    """The keypoints of an image of that size by its matches with all others."""
    places = [matches.first if pair[0] == name else matches.second for pair, matches in found]
    scores = [matches.scores for _, matches in found]
    none = PhotoMatches.none()
    every = np.concatenate([none.first, *places]), np.concatenate([none.scores, *scores])
    return quantised(*every, config.cell_px(size), config.max_keypoints)


def _start_quantise(
    config: Matched, runtime: Runtime, found: PairsOf[PhotoMatches], sizes: Mapping[str, ImageSize]
) -> Run[str, LocalFeatures]:
    def run(names: Iterable[str]) -> Iterator[LocalFeatures]:
        return (keypoints(config, name, sizes[name], found[name]) for name in names)

    return run


QUANTISE: EachStage[str, LocalFeatures] = EachStage("quantise", 1, LocalFeatures, _start_quantise, chunk=16)


def _start_assign(
    config: Matched,
    runtime: Runtime,
    found: Mapping[Pair, PhotoMatches],
    features: Mapping[str, LocalFeatures],
    sizes: Mapping[str, ImageSize],
) -> Run[Pair, Matches]:
    def assign(pair: Pair) -> Matches:
        matches = found[pair]
        places = zip(pair, (matches.first, matches.second), strict=True)
        first, second = (
            nearest(found_at, features[name].keypoints, config.cell_px(sizes[name])) for name, found_at in places
        )
        return one_to_one(first, second, matches.scores)

    def run(pairs: Iterable[Pair]) -> Iterator[Matches]:
        return map(assign, pairs)

    return run


ASSIGN: EachStage[Pair, Matches] = EachStage("assign", 1, Matches, _start_assign, chunk=512)
