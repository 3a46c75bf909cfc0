"""What stages made, read back from disk when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..array_types import Int64, UInt8
from ..data.pairs import Pairs
from ..stage import Artifact, Key, Results, Storable
from .fingerprint import fingerprint
from .marks import texts
from .places import Place, Places
from .remote import Location

R = TypeVar("R", bound=Storable)
T = TypeVar("T")


class PlanEnds(Exception):  # noqa: N818 - not an error: a dry run saw all that it can
    """A dry run has come to a result that is not there yet, or (`stage` is None) to the end."""

    def __init__(self, stage: str | None) -> None:
        super().__init__(f"unknown until {stage} has run")
        self.stage = stage


class Asked(NamedTuple):
    """Items of a stage: their keys, what each was made from (`run/marks.py`) and where its result is."""

    keys: Sequence[Key]
    marks: UInt8[np.ndarray, "n 16"]
    places: Places


class StoredResults(Results[R]):
    """The results of one stage for the items that were asked for, in their order; each look reads the disk.

    In a dry run the places of items still to do are missing: they count as results, and PlanEnds meets who looks.
    They are pickled (`run/store.py`) as `root`, the folder of their store's folder, and their reference.
    """

    def __init__(self, root: Location, name: str, key: str, result: type[R], asked: Asked, mark: str) -> None:
        """`mark`: the fingerprint, which the items' texts on disk give (`marks.set_fingerprint`)."""
        self.root, self.name, self.result, self.asked = root, name, result, asked
        self._key, self._mark = key, mark
        self._failed = asked.places.failures()
        self._failures = {asked.keys[row]: reason for row, reason in self._failed.items()}

    def __repr__(self) -> str:
        return f"Results({self.name}: {len(self)} items, {len(self.failures)} failed)"

    def __len__(self) -> int:
        return len(self.asked.keys) - len(self._failed)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.succeeded)

    def __contains__(self, key: object) -> bool:
        row = self._row_of(key)
        return row is not None and row not in self._failed

    @cached_property
    def succeeded(self) -> Sequence[Any]:
        """The items that did not fail, in order; pairs as `Pairs`."""
        keys = self.asked.keys
        if not self._failed:
            return keys
        return keys.at(self._rows) if isinstance(keys, Pairs) else [keys[row] for row in self._rows.tolist()]

    @property
    def _rows(self) -> Int64[np.ndarray, "n"]:
        """Of the items that did not fail, among those that were asked for."""
        return np.delete(np.arange(len(self.asked.keys)), list(self._failed))

    @cached_property
    def _row_of(self) -> Callable[[Any], int | None]:
        keys = self.asked.keys
        return keys.place_of if isinstance(keys, Pairs) else {key: row for row, key in enumerate(keys)}.get

    def __getitem__(self, key: Key) -> R:
        shard, row = self._place(key)
        return self.result.from_arrays(shard.read(row))

    def _place(self, key: Key) -> Place:
        row = self._row_of(key)
        if row is None or row in self._failed:
            raise KeyError(key)
        return self._place_at(row)

    def _place_at(self, row: int) -> Place:
        if (place := self.asked.places[row]) is None:
            raise PlanEnds(self.name)
        return place

    def column(self, name: str, keys: Iterable[Key]) -> Iterator[np.ndarray]:
        """One array of some results, in the order of the keys (these results: all); the others are not read."""
        places = map(self._place_at, self._rows) if keys is self else map(self._place, keys)
        for shard, own in groupby(places, key=itemgetter(0)):
            for arrays in shard.read_each([row for _, row in own], [name]):
                yield arrays[name]

    @property
    def fingerprint(self) -> str:
        """Stands for the stage, its settings and inputs, and all the items in order."""
        return self._mark

    @property
    def failures(self) -> Mapping[Key, str]:
        """Items that failed, with the reason."""
        return self._failures

    def fingerprint_of(self, key: Key) -> str:
        """Stands for the stage, its settings and inputs, and this one item."""
        return fingerprint(self._key, self.mark_of(key))

    def mark_of(self, key: Key) -> str:
        """Stands for what an item, maybe a failed one, was made from, whatever the stage and its settings."""
        if (row := self._row_of(key)) is None:
            raise KeyError(key)
        return next(texts(self.asked.marks[row : row + 1]))

    @property
    def reference(self) -> str:
        """The text by which `open_results` finds exactly these results again."""
        return f"{self.name}-{self._key[:16]}/{self.fingerprint}"


class NamedArtifact(Artifact[T]):
    """An artifact that knows what it is called and how to fetch its value, which happens when it is looked at.

    It is pickled without the value.
    """

    def __init__(self, name: str, fingerprint: str, fetch: Callable[[], T], reference: str = "") -> None:
        object.__setattr__(self, "fingerprint", fingerprint)
        self.name = name
        object.__setattr__(self, "reference", reference)
        self._fetch = fetch

    def __repr__(self) -> str:
        return f"Artifact({self.name}, {self.fingerprint[:16]})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "value"}

    @cached_property
    def value(self) -> T:
        """The value itself."""
        return self._fetch()
