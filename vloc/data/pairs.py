"""Pairs of images as arrays: 8 bytes a pair, where a tuple of two names in a list takes 64."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import eq
from threading import Lock
from typing import Any, overload

import numpy as np

from ..array_types import Int, Int32, Int64

Pair = tuple[str, str]
NONE = -1
"""in the place of a row, where there is none"""
BLOCK = 4096
"""pairs that are tuples at a time where one goes through all"""

_IN_TURN = Lock()
"""what finds pairs is made once, and not by every thread that asks for the first of them"""


@dataclass(frozen=True, eq=False)
class Pairs(Sequence[Pair]):
    """Pairs of images by rows of `names`, all of them different; a pair is a tuple of names when it is looked at."""

    names: Sequence[str]
    rows: Int32[np.ndarray, "p 2"]

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Pairs:
        """The same pairs in the same order."""
        if isinstance(pairs, Pairs):
            return pairs
        row_of: dict[str, int] = {}
        flat = (row_of.setdefault(name, len(row_of)) for first, second in pairs for name in (first, second))
        rows = np.fromiter(flat, np.int32).reshape(-1, 2)
        return cls(list(row_of), rows)

    def __repr__(self) -> str:
        return f"Pairs({len(self)} of {len(self.names)} images)"

    def __getstate__(self) -> dict[str, Any]:
        return {"names": self.names, "rows": self.rows}

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Pair: ...

    @overload
    def __getitem__(self, place: slice) -> Pairs: ...

    def __getitem__(self, place: int | slice) -> Pair | Pairs:
        if isinstance(place, slice):
            return Pairs(self.names, self.rows[place])
        first, second = self.rows[place].tolist()
        return self.names[first], self.names[second]

    def __iter__(self) -> Iterator[Pair]:
        names = self.names
        for start in range(0, len(self), BLOCK):
            for first, second in self.rows[start : start + BLOCK].tolist():
                yield names[first], names[second]

    def __contains__(self, pair: object) -> bool:
        return self.place_of(pair) is not None

    def __eq__(self, other: object) -> bool:
        """Whether a sequence has the same pairs in the same order."""
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def at(self, places: Int[np.ndarray, "k"]) -> Pairs:
        """Those at some places."""
        return Pairs(self.names, self.rows[places])

    def among(self, names: Container[str]) -> Pairs:
        """Those of which both images are among some."""
        is_there = np.array([name in names for name in self.names], bool)
        return self.at(np.flatnonzero(is_there[self.rows].all(axis=1)))

    def once(self) -> Pairs:
        """Each at its first place only."""
        places = np.unique(self._codes(), return_index=True)[1]
        return self.at(np.sort(places))

    def place_of(self, pair: object) -> int | None:
        """The place of a pair, the first if it is there twice; None for anything else."""
        row_of, codes, places = self._lookup
        match pair:
            case (str(first), str(second)) if first in row_of and second in row_of:
                code = row_of[first] * len(self.names) + row_of[second]
            case _:
                return None
        found = int(np.searchsorted(codes, code))
        return int(places[found]) if found < len(codes) and codes[found] == code else None

    def repeated(self) -> Pair | None:
        """A pair that is there twice."""
        codes = np.sort(self._codes())
        twice = codes[:-1][codes[1:] == codes[:-1]][:1].tolist()
        return (self.names[twice[0] // len(self.names)], self.names[twice[0] % len(self.names)]) if twice else None

    def _codes(self) -> Int64[np.ndarray, "p"]:
        return self.rows[:, 0].astype(np.int64) * len(self.names) + self.rows[:, 1]

    @property
    def _lookup(self) -> tuple[dict[str, int], Int64[np.ndarray, "p"], Int32[np.ndarray, "p"]]:
        with _IN_TURN:
            return self._made_lookup

    @cached_property
    def _made_lookup(self) -> tuple[dict[str, int], Int64[np.ndarray, "p"], Int32[np.ndarray, "p"]]:
        """Name -> row; a number for each pair, rising; and the places of these pairs: 12 bytes a pair."""
        codes = self._codes()
        places = np.argsort(codes, kind="stable")
        return {name: row for row, name in enumerate(self.names)}, codes[places], places.astype(np.int32)


@dataclass(frozen=True, eq=False)
class PairsByImage(Mapping[str, Pairs]):
    """For each of some images, by name, the pairs that it is one of, in their order: 8 bytes more a pair."""

    pairs: Pairs
    images: Sequence[str]

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[str]:
        return iter(self.images)

    def __getitem__(self, image: str) -> Pairs:
        with _IN_TURN:
            row_of, places, starts = self._lookup
        row = row_of[image]
        return self.pairs.at(places[starts[row] : starts[row + 1]]) if row != NONE else self.pairs[:0]

    @cached_property
    def _lookup(self) -> tuple[dict[str, int], Int32[np.ndarray, "twice_p"], Int64[np.ndarray, "i_plus_1"]]:
        """Image -> row; places of the pairs of row 0, then of row 1 and so on; where those of each row begin."""
        row_of = dict.fromkeys(self.images, NONE)
        row_of |= {name: row for row, name in enumerate(self.pairs.names) if name in row_of}
        images = self.pairs.rows.reshape(-1)
        order = np.argsort(images, kind="stable")
        starts = np.searchsorted(images, np.arange(len(self.pairs.names) + 1), sorter=order)
        return row_of, (order // 2).astype(np.int32), starts
