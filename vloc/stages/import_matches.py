"""Pair of images -> the matches that another program found between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..array_types import Float64
from ..data.capture import Capture
from ..data.features import LocalFeatures, Matches
from ..data.imported import matched_type
from ..data.pairs import Pair
from ..data.reconstruction import MatchedPairs
from ..errors import DataError
from ..features.imported import ImportedFeature
from ..matching.imported import ImportedMatcher
from ..runtime import Runtime
from ..stage import EachStage, Results, Run
from .images import ContentHash, Photos
from .imported import brought, content_mark


class Found(NamedTuple):
    """Rows (index in first, index in second, score) as the other program counts, and the images' keypoints."""

    rows: Float64[np.ndarray, "m 3"]
    counts: tuple[int, int]


def matched_type_of(capture: Capture, wanted: ImportedMatcher) -> tuple[str, MatchedPairs]:
    """The matches of a type that a capture brings, or that lie beside it, with the name of the type."""
    return matched_type(brought(capture, wanted.path), wanted.type, wanted.path or "the capture")


def matched_items(
    photos: Photos, pairs: Sequence[Pair], features: Results[LocalFeatures], wanted: ImportedMatcher
) -> ImportedPairs:
    """Imported matches of some pairs as items of a stage."""
    name, found = matched_type_of(photos.capture, wanted)
    return ImportedPairs(pairs, photos.content_hash, name, found, features)


@dataclass(frozen=True, eq=False)
class ImportedPairs:
    """Matches as items, by pair, in whichever order its images are named. An item depends on both images' features."""

    keys: Sequence[Pair]
    content_hash: ContentHash
    name: str
    found: MatchedPairs
    features: Results[LocalFeatures]

    def fingerprint(self, index: int) -> str:
        """Changes when the matches or the features of either image do."""
        first, second = self.keys[index]
        own = self._own(self.keys[index])
        if own is None:
            return "missing"
        key = f"matches/{self.name}/{own[0]}\n{own[1]}"
        mark = content_mark(self.content_hash, key, self.found.source, own)
        return f"{mark} {self.features.fingerprint_of(first)} {self.features.fingerprint_of(second)}"

    def load(self, index: int) -> Found:
        """The matches of a pair; DataError where there are none, or of keypoints that are not there."""
        pair = first, second = self.keys[index]
        own = self._own(pair)
        if own is None:
            raise DataError(f"{first} {second}: no imported matches; {len(self.found.pairs)} pairs have them")
        rows = self.found.load(own)
        rows = rows if own == pair else rows[:, [1, 0, 2]]
        counts = len(self.features[first]), len(self.features[second])
        indices = rows[:, :2]
        if not (np.isfinite(rows).all() and (indices >= 0).all() and (indices < counts).all()):
            raise DataError(
                f"{first} {second}: imported matches of keypoints up to {indices.max(axis=0)}, there are {counts}: "
                "are they of other features?"
            )
        return Found(rows, counts)

    def _own(self, pair: Pair) -> Pair | None:
        return next((own for own in (pair, (pair[1], pair[0])) if own in self.found.pairs), None)


def matches(found: Found, *, weakest_first: bool) -> Matches:
    """The matches, each once; where keypoints were turned round, strongest first, so are their rows."""
    indices = found.rows[:, :2].astype(np.int64)
    indices = np.array(found.counts) - 1 - indices if weakest_first else indices
    distinct, rows = np.unique(indices, axis=0, return_index=True)
    return Matches(distinct.astype(np.uint32), found.rows[rows, 2].astype(np.float32))


def _start(matcher: ImportedMatcher, runtime: Runtime, feature: ImportedFeature) -> Run[Found, Matches]:
    def run(items: Iterable[Found]) -> Iterator[Matches]:
        return (matches(found, weakest_first=feature.weakest_first) for found in items)

    return run


IMPORT: EachStage[Found, Matches] = EachStage("import", 1, Matches, _start, chunk=512)
