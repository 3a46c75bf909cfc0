"""Queries -> the map images that look most like them, by the fused similarity of all global descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..data.selection import Ranking
from ..geometry.rigid import Rigid
from ..retrieval.filters import Choice
from ..retrieval.fusion import Fusion
from ..retrieval.geometric import Geometric
from ..retrieval.reranking import Reranking, Searcher, searcher
from ..retrieval.search import Vectors
from ..runtime import Runtime
from ..stage import OnceStage


@dataclass(frozen=True)
class RetrieveConfig:
    """Choice of the map images a query is matched with."""

    num_retrieved: Annotated[int, msgspec.Meta(ge=1)] = 20
    """map images a query is matched with"""


def num_listed(config: RetrieveConfig, reranking: Sequence[Reranking]) -> int:
    """How many images a query gets before geometry has its say."""
    return max([config.num_retrieved, *(made.depth for made in reranking if isinstance(made, Geometric))])


def _retrieve(
    config: RetrieveConfig,
    runtime: Runtime,
    queries: Vectors,
    images: Vectors,
    fusion: Fusion,
    reranking: Sequence[Reranking],
    cam_from_world: Rigid,
    choice: Choice | None,
) -> Ranking:
    find = searcher(Searcher(images, fusion, cam_from_world), reranking)
    return find(queries, num_listed(config, reranking), None if choice is None else choice.allowed())


RETRIEVE: OnceStage[Ranking] = OnceStage("retrieve", 2, Ranking, _retrieve)
