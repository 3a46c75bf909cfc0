"""Pair of photos -> the places of one that the other shows too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..array_types import Float32
from ..data.pairs import Pair
from ..data.photo_matches import PhotoMatches
from ..geometry.quarter_turns import turned_back
from ..matching.base import PhotoMatcher
from ..runtime import Runtime
from ..stage import EachStage, Run
from .images import ImageItems, Photo

PREPARED_PHOTOS = 8
"""photos of which what a matcher made of each alone (LoFTR: 65 MB of 832 x 624 px) stays in memory"""


@dataclass(frozen=True)
class PhotoPairs:
    """The photos of pairs, as a table of a stage: where the first and where the second is to be found."""

    firsts: ImageItems
    seconds: ImageItems

    def __getitem__(self, pair: Pair) -> tuple[Photo, Photo]:
        """Both; DataError for one that cannot be read."""
        return self.firsts.photo(pair[0]), self.seconds.photo(pair[1])

    def __contains__(self, pair: object) -> bool:
        """Whether it is a pair: one whose photos are not there fails when it is looked at."""
        return isinstance(pair, tuple)

    def fingerprint_of(self, pair: Pair) -> str:
        """Changes when either file does."""
        return f"{self.firsts.fingerprint_of(pair[0])} {self.seconds.fingerprint_of(pair[1])}"


class Prepared(NamedTuple):
    """What a matcher made of one upright photo, its height and width, and how far it is turned."""

    given: Any
    shape: tuple[int, int]
    quarter_turns: int

    def stored(self, places: Float32[np.ndarray, "m 2"]) -> Float32[np.ndarray, "m 2"]:
        """Places of the upright photo in px of the stored one."""
        return np.ascontiguousarray(turned_back(places, self.quarter_turns, self.shape))


def _start(matcher: PhotoMatcher, runtime: Runtime, photos: PhotoPairs) -> Run[Pair, PhotoMatches]:
    loaded, sides = matcher.load_photos(runtime), (photos.firsts, photos.seconds)

    @lru_cache(PREPARED_PHOTOS)
    def prepared(side: int, name: str) -> Prepared:
        photo = sides[side].photo(name)
        height, width = photo.pixels.shape[:2]
        return Prepared(loaded.prepare(photo.pixels), (height, width), photo.quarter_turns)

    def match(pair: Pair) -> PhotoMatches:
        first, second = prepared(0, pair[0]), prepared(0 if sides[0] is sides[1] else 1, pair[1])
        found = loaded.match(first.given, second.given)
        return PhotoMatches(first.stored(found.first), second.stored(found.second), found.scores)

    def run(pairs: Iterable[Pair]) -> Iterator[PhotoMatches]:
        return map(match, pairs)

    return run


MATCH_PHOTOS: EachStage[Pair, PhotoMatches] = EachStage("match-photos", 1, PhotoMatches, _start, chunk=16)
