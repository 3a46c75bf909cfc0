"""What stages made, read back from disk when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
import numpy as np

from ..stage import Artifact, Key, Results, Storable
from .fingerprint import bytes_fingerprint, fingerprint
from .remote import Location
from .shard import Shard

R = TypeVar("R", bound=Storable)
T = TypeVar("T")

Place = tuple[Shard, int]
"""A shard and the item's row in it."""


class PlanEnds(Exception):  # noqa: N818 - not an error: a dry run saw all that it can
    """A dry run has come to a result that is not there yet, or (`stage` is None) to the end."""

    def __init__(self, stage: str | None) -> None:
        super().__init__(f"unknown until {stage} has run")
        self.stage = stage


class StoredResults(Results[R]):
    """The results of one stage for the items that were asked for, in their order; each look reads the disk.

    In a dry run the places of items still to do are missing: they count as results, and PlanEnds meets who looks.
    They are pickled (`run/store.py`) as `root`, the folder of their store's folder, and their reference.
    """

    def __init__(
        self,
        root: Location,
        name: str,
        key: str,
        result: type[R],
        marks: Mapping[Key, str],
        places: Mapping[Key, Place | None],
    ) -> None:
        self.root, self.name, self.result = root, name, result
        self._key = key
        self._marks = marks
        self._failures = {key: reason for key, place in places.items() if place and (reason := _failure(place))}
        self._places = {key: place for key, place in places.items() if key not in self._failures}

    def __repr__(self) -> str:
        return f"Results({self.name}: {len(self)} items, {len(self.failures)} failed)"

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __getitem__(self, key: Key) -> R:
        shard, row = self._place(key)
        return self.result.from_arrays(shard.read(row))

    def _place(self, key: Key) -> Place:
        place = self._places[key]
        if place is None:
            raise PlanEnds(self.name)
        return place

    def column(self, name: str, keys: Iterable[Key]) -> Iterator[np.ndarray]:
        """One array of some results, in the order of the keys; the others are not read."""
        for shard, places in groupby((self._place(key) for key in keys), key=itemgetter(0)):
            for arrays in shard.read_each([row for _, row in places], [name]):
                yield arrays[name]

    @cached_property
    def fingerprint(self) -> str:
        """Stands for the stage, its settings and inputs, and all the items in order."""
        return set_fingerprint(self._key, list(self._marks), list(self._marks.values()))

    @property
    def failures(self) -> Mapping[Key, str]:
        """Items that failed, with the reason."""
        return self._failures

    def fingerprint_of(self, key: Key) -> str:
        """Stands for the stage, its settings and inputs, and this one item."""
        return fingerprint(self._key, self._marks[key])

    @property
    def marks(self) -> Mapping[Key, str]:
        """Item, failed ones too -> what stands for what it was made from, whatever the stage and its settings."""
        return self._marks

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


def set_fingerprint(key: str, keys: Sequence[Key], marks: Sequence[str]) -> str:
    """Stands for the results of one store for these items."""
    return bytes_fingerprint(msgspec.json.encode((key, keys, marks)))


def _failure(place: Place) -> str | None:
    shard, row = place
    return shard.index.failures.get(row)
