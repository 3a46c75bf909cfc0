"""Vectors enriched by those of their neighbours: of queries (alpha-QE), and of the map's images (DBA)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import Int64
from ..data.selection import NOTHING, Ranking
from .reranking import RERANKINGS, Searcher
from .search import Allowed, Vectors, others
from .sparse_rows import Rows, SparseRows, dense, with_neighbours
from .vlad import unit

BLOCK = 2**24
"""numbers of neighbours' vectors in memory at a time: 64 MB"""


@RERANKINGS.register("alpha_qe")
@dataclass(frozen=True)
class AlphaQueryExpansion:
    """A query is searched again with its nearest references added, each times the alpha-th power of its cosine.

    Radenovic et al., TPAMI 2018, section 3.5; with alpha=0 the average query expansion of Chum et al., ICCV 2007.
    """

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "anywhere"

    k: Annotated[int, msgspec.Meta(ge=1)] = 5
    """references that are added"""
    alpha: Annotated[float, msgspec.Meta(ge=0, le=100)] = 3.0
    """the larger, the less those count that are less similar"""

    def over(self, base: Searcher) -> Searcher:
        """The search with expanded queries."""

        def find(queries: Vectors, k: int, allowed: Allowed | None) -> Ranking:
            near = base(queries, self.k, allowed).padded(len(queries[0]))[0]
            return base(expanded(queries, base.references, near, self.alpha), k, allowed)

        return base.by(find)


@RERANKINGS.register("dba")
@dataclass(frozen=True)
class DatabaseAugmentation:
    """References have their own nearest references added in the same way, once (Turcot & Lowe, ICCV workshops 2009)."""

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "first"

    k: Annotated[int, msgspec.Meta(ge=1)] = 3
    """references that are added to each"""
    alpha: Annotated[float, msgspec.Meta(ge=0, le=100)] = 3.0
    """as of alpha_qe"""

    def over(self, base: Searcher) -> Searcher:
        """The search among augmented references."""
        count = base.num_references
        near = base(base.references, self.k, others(count)).padded(count)[0]
        return replace(base, references=expanded(base.references, base.references, near, self.alpha))


def expanded(vectors: Vectors, references: Vectors, near: Int64[np.ndarray, "q k"], alpha: float) -> Vectors:
    """Each vector plus its neighbours times max(cosine, 0)^alpha, as unit vectors, each descriptor by itself."""
    return [_expanded(own, others, near, alpha) for own, others in zip(vectors, references, strict=True)]


def _expanded(vectors: Rows, references: Rows, near: Int64[np.ndarray, "q k"], alpha: float) -> Rows:
    if isinstance(vectors, SparseRows) or isinstance(references, SparseRows):
        expanding, places = np.nonzero(near != NOTHING)
        return with_neighbours(vectors, references, expanding, near[expanding, places], alpha)
    vectors, references = dense(vectors), dense(references)
    sums, size = vectors.copy(), max(BLOCK // max(near.shape[1] * vectors.shape[1], 1), 1)
    for start in range(0, len(vectors), size):
        rows = slice(start, start + size)
        added = references[near[rows]]  # (q, k, d)
        cosines = np.einsum("qd,qkd->qk", vectors[rows], added)
        weights = np.where(near[rows] == NOTHING, 0, np.maximum(cosines, 0) ** np.float32(alpha))
        sums[rows] += np.einsum("qk,qkd->qd", weights, added)
    return unit(sums)
