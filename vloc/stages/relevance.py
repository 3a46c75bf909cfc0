"""Rankings against lists of relevant images: mean average precision, as the revisited Oxford and Paris count it.

Radenovic et al., Revisiting Oxford and Paris: large-scale image retrieval benchmarking, CVPR 2018, section 3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..array_types import Int64
from ..data.image_names import matched
from ..data.relevance import Relevance
from ..errors import DataError
from ..retrieval.precision import average_precision, precision_at

SETTINGS = {
    "easy": (("easy",), ("hard", "junk")),
    "medium": (("easy", "hard"), ("junk",)),
    "hard": (("hard",), ("easy", "junk")),
}
"""what counts as relevant in each setting, and what counts as not there at all"""


@dataclass(frozen=True)
class Precision:
    """Percent, over the queries that have a relevant image at all in a setting."""

    setting: str
    num_queries: int
    mean_average_precision: float
    at: dict[int, float]
    """mean precision among the first k, by k"""

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        at = {str(k): percent for k, percent in self.at.items()}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "at"} | {"mean_precision": at}


def evaluate_relevance(
    ranked: Mapping[str, Sequence[str]], relevance: Mapping[str, Relevance], ks: Sequence[int]
) -> list[Precision]:
    """Mean average precision in each setting that has relevant images; images that a ranking lacks were not found.

    Names may have more leading folders on one side. DataError where no query of the lists was ranked.
    """
    known = {true: name for name, true in matched(ranked, relevance).items()}
    if not known:
        raise DataError(f"none of the {len(relevance)} queries of the relevance lists has retrieved images")
    spelled = _spelled({image for name in ranked.values() for image in name}, relevance)
    lists = {true: [spelled.get(image, image) for image in ranked[name]] for true, name in known.items()}
    found = []
    for setting, (wanted, ignored) in SETTINGS.items():
        sets = {name: (_joined(relevance[name], wanted), _joined(relevance[name], ignored)) for name in lists}
        told = [_told(lists[name], relevant, junk, ks) for name, (relevant, junk) in sets.items() if relevant]
        if told:
            means = 100 * np.mean(told, axis=0)
            found.append(Precision(setting, len(told), float(means[0]), dict(zip(ks, means[1:].tolist(), strict=True))))
    return found


def _joined(relevance: Relevance, parts: Sequence[str]) -> frozenset[str]:
    return frozenset().union(*(getattr(relevance, part) for part in parts))


def _spelled(images: Collection[str], relevance: Mapping[str, Relevance]) -> dict[str, str]:
    """Retrieved image -> its name in the lists."""
    return matched(
        images, {name for lists in relevance.values() for f in fields(lists) for name in getattr(lists, f.name)}
    )


def _told(ranked: Sequence[str], relevant: Collection[str], junk: Collection[str], ks: Sequence[int]) -> list[float]:
    """Average precision of one query, and its precision among the first k for every k."""
    places = places_of(ranked, relevant, junk)
    return [average_precision(places, len(relevant)), *(precision_at(places, k) for k in ks)]


def places_of(ranked: Sequence[str], relevant: Collection[str], junk: Collection[str]) -> Int64[np.ndarray, "p"]:
    """The places, from 0, of relevant images in a list from which junk is taken out."""
    kept = [image for image in ranked if image not in junk]
    return np.array([place for place, image in enumerate(kept) if image in relevant], np.int64)
