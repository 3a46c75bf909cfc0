"""The items of results that were complete, read back from the shards that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..data.pairs import Pairs
from ..errors import StoreError
from ..stage import Key
from .marks import digest, from_bytes
from .places import Places, ShardRows
from .results import Asked
from .shard import Index, Shard, read_index

DECODED = 16
"""tables of contents of shards that are held at a time: sets go to and fro between some"""


def listed(folder: Path, runs: Sequence[ShardRows]) -> Asked:
    """The items in some rows of the shards in a folder; StoreError for shards and rows that are not there."""
    shards: dict[str, Shard] = {}
    marks = bytearray()

    def keys() -> Iterator[Key]:
        for run, (index, own) in zip(runs, _contents(folder, runs), strict=True):
            if run.shard not in shards:
                shards[run.shard] = Shard(folder / run.shard, index)
            for key, mark in zip(index.keys[own], index.fingerprints[own], strict=True):
                marks.extend(digest(mark))
                yield key

    return Asked(_gathered(keys()), from_bytes(marks), Places.of_runs(shards, runs))


def written_marks(folder: Path, runs: Sequence[ShardRows]) -> Iterator[str]:
    """The marks of the same items as they stand in the shards."""
    return (mark for index, own in _contents(folder, runs) for mark in index.fingerprints[own])


def _contents(folder: Path, runs: Sequence[ShardRows]) -> Iterator[tuple[Index, slice]]:
    """For each of the runs the table of contents that tells of its items, and where."""
    contents = lru_cache(DECODED)(read_index)
    for run in runs:
        index = contents(folder / run.shard)
        if not 0 <= run.first <= run.first + run.count <= len(index.keys):
            raise StoreError(
                f"{folder}: a set names {run.count} rows from {run.first} of {run.shard}, which lacks them"
            )
        yield index, slice(run.first, run.first + run.count)


def _gathered(keys: Iterator[Key]) -> Sequence[Key]:
    """Keys of one kind: pairs, or names."""
    first = list(islice(keys, 1))
    every: Iterator[Any] = chain(first, keys)
    return Pairs.of(every) if first and isinstance(first[0], tuple) else list(every)
