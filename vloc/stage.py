"""What a stage is, and what it works on. The Workspace runs stages without knowing any of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

Key = str | tuple[str, str]
"""An item's name: an image, or a pair of images."""

I_co = TypeVar("I_co", covariant=True)
R = TypeVar("R", bound="Storable")
I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")


class Storable(Protocol):
    """A result that a store can keep: named arrays, concatenated over items along their first axis."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The stored form."""
        ...

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """The inverse of `to_arrays`."""
        ...


@runtime_checkable
class Items(Protocol[I_co]):
    """A collection to work on, item by item, each with content of its own (an image file)."""

    @property
    def keys(self) -> Sequence[Key]:
        """The items' names, all different."""
        ...

    def fingerprint(self, index: int) -> str:
        """A text that changes when the content of the item does."""
        ...

    def load(self, index: int) -> I_co:
        """The item itself. DataError: this item fails by name, the others go on."""
        ...


@dataclass(frozen=True)
class Artifact(Generic[T]):
    """A value with the fingerprint of all that made it."""

    value: T
    fingerprint: str
    reference: str = ""
    """the text by which a stored value is found again"""


Run = Callable[[Iterable[I]], Iterator[R]]


@dataclass(frozen=True)
class EachStage(Generic[I, R]):
    """A pure function from items to results, one for one and in order.

    `start(settings, runtime, *each, *shared)` is called once and gives the function that is run on iterators of items,
    in several threads at a time: `each` are tables to look an item up in by its name, `shared` what all items have in
    common. Raise `version` whenever the same input would give another result.
    """

    name: str
    version: int
    result: type[R]
    start: Callable[..., Run[I, R]]
    chunk: int = 64
    """items a shard: what a kill can cost"""


@dataclass(frozen=True)
class OnceStage(Generic[R]):
    """A pure function of everything at once: `run(settings, runtime, *shared) -> result`."""

    name: str
    version: int
    result: type[R]
    run: Callable[..., R]


class Results(Mapping[Any, R], ABC):
    """What `Workspace.each` gives: the results by key, read from disk on demand; failed items are absent."""

    @property
    @abstractmethod
    def reference(self) -> str:
        """The text by which exactly these results are found again."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Changes when any result may have."""

    @property
    @abstractmethod
    def failures(self) -> Mapping[Key, str]:
        """Items that failed, with the reason."""

    @abstractmethod
    def fingerprint_of(self, key: Key) -> str:
        """Changes when this one result may have."""

    @property
    def succeeded(self) -> Sequence[Any]:
        """The items that are there, in order."""
        return list(self)

    def column(self, name: str, keys: Iterable[Key]) -> Iterator[np.ndarray]:
        """One array of some results, in the order of the keys; a store reads no others."""
        return (self[key].to_arrays()[name] for key in keys)


def column(table: Mapping[Any, Any], name: str, keys: Iterable[Key]) -> Iterator[np.ndarray]:
    """One array of some entries of a table, in the order of the keys."""
    return table.column(name, keys) if isinstance(table, Results) else (table[k].to_arrays()[name] for k in keys)


Context = Artifact[Any] | Results[Any]
