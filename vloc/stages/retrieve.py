"""Queries -> the map images that look most like them, by the fused similarity of all global descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..data.selection import Ranking
from ..retrieval.fusion import Fusion
from ..retrieval.search import search
from ..runtime import Runtime
from ..stage import OnceStage


@dataclass(frozen=True)
class RetrieveConfig:
    """Choice of the map images a query is matched with."""

    num_retrieved: Annotated[int, msgspec.Meta(ge=1)] = 20
    """map images a query is matched with"""


def _retrieve(
    config: RetrieveConfig,
    runtime: Runtime,
    queries: Sequence[np.ndarray],
    images: Sequence[np.ndarray],
    fusion: Fusion,
) -> Ranking:
    return search(queries, images, fusion, config.num_retrieved)


RETRIEVE: OnceStage[Ranking] = OnceStage("retrieve", 1, Ranking, _retrieve)
