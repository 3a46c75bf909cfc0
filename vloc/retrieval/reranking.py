"""What a re-ranking is: a way to search that is laid over another one, so that several compose.

What one has to know of the map's images it finds out once, when it is laid over the search in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, runtime_checkable

from ..data.selection import Ranking
from ..errors import ConfigError
from ..geometry.rigid import Rigid
from ..registry import Registry
from .fusion import Fusion
from .search import Allowed, Vectors, search

Find = Callable[[Vectors, int, Allowed | None], Ranking]
"""(queries, how many references each gets, which it may get) -> ranking"""


@dataclass(frozen=True, eq=False)
class Searcher:
    """Finds the references most similar to queries.

    `references` are searched by `find`, exactly where it is None. `cam_from_world`: of the references, where known.
    """

    references: Vectors
    fusion: Fusion
    cam_from_world: Rigid | None = None
    find: Find | None = None

    def __call__(self, queries: Vectors, k: int, allowed: Allowed | None = None) -> Ranking:
        """As `search`."""
        if self.find is None:
            return search(queries, self.references, self.fusion, k, allowed)
        return self.find(queries, k, allowed)

    @property
    def num_references(self) -> int:
        """How many images are searched."""
        return len(self.references[0])

    def by(self, find: Find) -> Searcher:
        """The same references, searched otherwise."""
        return replace(self, find=find)


@runtime_checkable
class Reranking(Protocol):
    """Settings of a re-ranking."""

    plugin_name: ClassVar[str]
    stands: ClassVar[Literal["first", "anywhere", "last"]]
    """where, among several: one that changes the references first, one that needs more than vectors last"""


@runtime_checkable
class ListReranking(Reranking, Protocol):
    """A re-ranking that needs no more than what a searcher holds."""

    def over(self, base: Searcher) -> Searcher:
        """The search that is laid over another."""
        ...


HOMES = {
    "alpha_qe": "vloc.retrieval.expansion",
    "dba": "vloc.retrieval.expansion",
    "diffusion": "vloc.retrieval.diffusion",
    "diverse": "vloc.retrieval.diversity",
    "geometric": "vloc.retrieval.geometric",
    "k_reciprocal": "vloc.retrieval.k_reciprocal",
}
"""the module of each"""

RERANKINGS: Registry[Reranking] = Registry("re-ranking", HOMES)


def check_order(rerankings: Sequence[Reranking]) -> None:
    """ConfigError for a re-ranking that stands where it cannot."""
    for place, made in enumerate(rerankings):
        if (made.stands == "first" and place > 0) or (made.stands == "last" and place < len(rerankings) - 1):
            raise ConfigError(f"re-ranking '{made.plugin_name}' stands {made.stands}: name it {made.stands}")


def searcher(base: Searcher, rerankings: Sequence[Reranking]) -> Searcher:
    """The search with every re-ranking laid over it in turn, those left out that need more than vectors."""
    for made in rerankings:
        if isinstance(made, ListReranking):
            base = made.over(base)
    return base
