"""The inputs of stages, and the fingerprints by which a change of any of them is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Protocol, runtime_checkable

from ..stage import Artifact, Context, Items, Key, Results
from .fingerprint import fingerprint


@runtime_checkable
class Marked(Protocol):
    """A table that knows the fingerprints of its entries: `Results`, or the images of a capture."""

    def __getitem__(self, key: Any) -> Any: ...

    def __contains__(self, key: object) -> bool: ...

    def fingerprint_of(self, key: Any) -> str:
        """Changes when the entry may have."""
        ...


Table = Mapping[Any, Any] | Marked
"""a value for every item, or for every image of a pair"""

REMEMBERED = 1024
"""fingerprints of a table's entries that are held: pairs that follow each other share images"""


@dataclass(frozen=True)
class KeyedItems:
    """Items that are their names; the stage itself looks them up in its tables. They are pickled without these."""

    keys: Sequence[Key]
    tables: Sequence[Table]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_marks", [_marks(table) for table in self.tables])

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyedItems, (self.keys, ())

    def fingerprint(self, index: int) -> str:
        """Changes when an entry that belongs to this item does."""
        marks: list[Callable[[Key], str]] = self._marks  # type: ignore[attr-defined]
        return " ".join(mark(self.keys[index]) for mark in marks)

    def load(self, index: int) -> Key:
        """The name."""
        return self.keys[index]


@dataclass(frozen=True)
class Groups:
    """Items that stand for several entries of the tables each, by name -> these names. Pickled without tables."""

    members: Mapping[str, Sequence[str]]
    tables: Sequence[Table]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_marks", [_marks(table) for table in self.tables])

    def __reduce__(self) -> tuple[Any, ...]:
        return Groups, (self.members, ())

    @cached_property
    def keys(self) -> Sequence[str]:
        """The names of the groups."""
        return list(self.members)

    def fingerprint(self, index: int) -> str:
        """Changes when the group has other members, or an entry of one of them changes."""
        marks: list[Callable[[Key], str]] = self._marks  # type: ignore[attr-defined]
        names = self.members[self.keys[index]]
        return fingerprint([[name, *(mark(name) for mark in marks)] for name in names])

    def load(self, index: int) -> str:
        """The name."""
        return self.keys[index]


@dataclass(frozen=True)
class Entries:
    """Entries of a table of results as items, for stages that need no more."""

    keys: Sequence[str]
    table: Results[Any]

    def __len__(self) -> int:
        return len(self.keys)

    def fingerprint(self, index: int) -> str:
        """That of the entry."""
        return self.table.fingerprint_of(self.keys[index])

    def load(self, index: int) -> Any:
        """The entry."""
        return self.table[self.keys[index]]

    def __iter__(self) -> Iterator[Any]:
        """Every entry."""
        return map(self.load, range(len(self.keys)))


def _marks(table: Table) -> Callable[[Key], str]:
    """The fingerprint of what a table holds for an item: of a pair that it does not list, of both its images."""
    of_value = cache(lambda key: fingerprint(table[key]))
    single = lru_cache(REMEMBERED)(table.fingerprint_of) if isinstance(table, Marked) else of_value

    def mark(key: Key) -> str:
        if isinstance(key, tuple) and key not in table:
            return f"{single(key[0])} {single(key[1])}"
        return single(key)

    return mark


def as_context(value: object) -> Context:
    """A value that all items share, with its fingerprint."""
    if isinstance(value, Artifact | Results):
        return value
    if isinstance(value, Items):
        return Artifact(value, fingerprint([value.fingerprint(index) for index in range(len(value.keys))]))
    return Artifact(value, fingerprint(value))
