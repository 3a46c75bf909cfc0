"""Where the results of items are: which row of which shard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from ..array_types import Bool, Int32, UInt8
from .fingerprint import NUM_BYTES
from .shard import Shard

Place = tuple[Shard, int]
"""A shard and the item's row in it."""

NOWHERE = -1
"""in the place of a shard's number, and of a row"""


class ShardRows(msgspec.Struct, array_like=True):
    """Consecutive rows of one shard."""

    shard: str
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Places:
    """Of every item the number of its shard and its row there, `NOWHERE` for both if it has no place."""

    shards: Sequence[Shard]
    where: Int32[np.ndarray, "n 2"]

    @classmethod
    def of_runs(cls, shards: Mapping[str, Shard], runs: Sequence[ShardRows]) -> Places:
        """Those of all rows of some runs, in order; `shards` by name."""
        number_of = {name: number for number, name in enumerate(shards)}
        numbers = np.array([number_of[run.shard] for run in runs], np.int32)
        firsts, counts = np.array([(run.first, run.count) for run in runs], np.int64).reshape(-1, 2).T
        # what to add to the place of an item among all to have its row
        shifts = firsts - (np.cumsum(counts) - counts)
        rows = np.arange(counts.sum()) + np.repeat(shifts, counts)
        return cls(tuple(shards.values()), np.stack([np.repeat(numbers, counts), rows.astype(np.int32)], axis=1))

    def __len__(self) -> int:
        return len(self.where)

    def __getitem__(self, item: int) -> Place | None:
        number, row = self.where[item].tolist()
        return None if number == NOWHERE else (self.shards[number], row)

    @property
    def is_there(self) -> Bool[np.ndarray, "n"]:
        """Whether an item has a place."""
        return self.where[:, 0] != NOWHERE

    def failures(self) -> dict[int, str]:
        """Item that failed -> the reason."""
        has_some = np.array([*(bool(shard.failures) for shard in self.shards), False])  # the last is that of NOWHERE
        items = np.flatnonzero(has_some[self.where[:, 0]])
        places = zip(items.tolist(), self.where[items].tolist(), strict=True)
        reasons = ((item, self.shards[number].failures.get(row)) for item, (number, row) in places)
        return {item: reason for item, reason in reasons if reason is not None}

    def runs(self) -> list[ShardRows]:
        """The same, with consecutive rows of a shard together; all items have places."""
        goes_on = (np.diff(self.where, axis=0) == (0, 1)).all(axis=1)
        starts = np.flatnonzero(np.r_[True, ~goes_on][: len(self)])
        counts = np.diff(starts, append=len(self)).tolist()
        places = zip(self.where[starts].tolist(), counts, strict=True)
        return [ShardRows(self.shards[number].path.name, first, count) for (number, first), count in places]


class PlaceTable:
    """Finds items by what stands for them and their marks (`marks.entries`): 24 bytes an item.

    Of equal ones it finds that which was there first.
    """

    def __init__(self) -> None:
        self._shards: list[Shard] = []
        self._entries = _as_keys(np.zeros((0, NUM_BYTES), np.uint8))
        self._where: Int32[np.ndarray, "n 2"] = np.zeros((0, 2), np.int32)
        self._added: list[tuple[np.ndarray, Int32[np.ndarray, "k 2"]]] = []

    def __len__(self) -> int:
        return len(self._where) + sum(len(where) for _, where in self._added)

    def add(self, shard: Shard, entries: UInt8[np.ndarray, "k 16"]) -> None:
        """Take in the items of a shard."""
        rows = np.arange(len(entries), dtype=np.int32)
        self._added.append((_as_keys(entries), np.stack([np.full_like(rows, len(self._shards)), rows], axis=1)))
        self._shards.append(shard)

    def find(self, wanted: Iterable[UInt8[np.ndarray, "k 16"]]) -> Places:
        """Where items are; their entries come block by block."""
        self._sort()
        found = [self._where[:0], *(self._search(_as_keys(block)) for block in wanted)]
        return Places(tuple(self._shards), np.concatenate(found))

    def _sort(self) -> None:
        if not self._added:
            return
        self._entries = np.concatenate([self._entries, *(entries for entries, _ in self._added)])
        self._where = np.concatenate([self._where, *(where for _, where in self._added)])
        self._added = []  # gone before the others are sorted, which takes as much again
        order = np.argsort(self._entries, kind="stable")
        self._entries, self._where = self._entries[order], self._where[order]

    def _search(self, wanted: np.ndarray) -> Int32[np.ndarray, "k 2"]:
        at = np.searchsorted(self._entries, wanted)
        is_there = at < len(self._entries)
        is_there[is_there] = self._entries[at[is_there]] == wanted[is_there]
        found = np.full((len(wanted), 2), NOWHERE, np.int32)
        found[is_there] = self._where[at[is_there]]
        return found


def _as_keys(entries: UInt8[np.ndarray, "n 16"]) -> np.ndarray:
    """Rows as values that numpy sorts, byte by byte."""
    return np.ascontiguousarray(entries).view(f"S{NUM_BYTES}").reshape(-1)
