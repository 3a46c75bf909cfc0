"""Images are alike where their reciprocal neighbours are the same.

Zhong et al., Re-ranking person re-identification with k-reciprocal encoding, CVPR 2017. Queries come one at a time, so
the map's images have only each other as neighbours, and what is made of these is made once. A distance is 1 - s / s0,
of the fused similarity and that of an image with itself, in [0, 1]; beyond what was retrieved it is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import Bool, Float32, Float64, Int64
from ..data.selection import NOTHING, Ranking
from .fusion import Fusion
from .reranking import RERANKINGS, Searcher
from .search import Allowed, Vectors, others

OVERLAP = 2 / 3
"""part of a neighbour's own reciprocal neighbours that has to be shared for them to be taken in (eq. 4)"""


@RERANKINGS.register("k_reciprocal")
@dataclass(frozen=True)
class KReciprocal:
    """References are ordered by the Jaccard distance of expanded reciprocal neighbours, mixed with the first one."""

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "anywhere"

    depth: Annotated[int, msgspec.Meta(ge=1)] = 100
    """first references that are put in another order"""
    k1: Annotated[int, msgspec.Meta(ge=2)] = 20
    """neighbours that may be reciprocal"""
    k2: Annotated[int, msgspec.Meta(ge=1)] = 6
    """nearest images, itself included, over which an image's neighbours are averaged"""
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    """of the first distance in the last one"""

    def over(self, base: Searcher) -> Searcher:
        """The search by reciprocal neighbours."""
        count = base.num_references
        near, similar = base(base.references, self.k1, others(count)).padded(count)
        if not near.size:
            return base
        known = Neighbours(near, distances(base.fusion, len(base.references), similar), self.k1, self.k2)
        limit = np.where(near[:, -1] == NOTHING, -np.inf, similar[:, -1])

        def find(queries: Vectors, k: int, allowed: Allowed | None) -> Ranking:
            wanted = max(k, self.depth, self.k1)
            columns, scores = base(queries, wanted, allowed).padded(len(queries[0]))
            apart = distances(base.fusion, len(queries), scores)
            for row, listed in enumerate(columns):
                is_reciprocal = scores[row, : self.k1] >= limit[listed[: self.k1]]
                final = self.share * apart[row] + (1 - self.share) * known.jaccard(listed, apart[row], is_reciprocal)
                final[self.depth :] = 1
                final[listed == NOTHING] = 2
                order = np.argsort(final, kind="stable")
                columns[row], scores[row] = listed[order], 1 - final[order]
            return Ranking.packed(columns[:, :k], scores[:, :k])

        return base.by(find)


class Neighbours:
    """The reciprocal neighbours of a map's images, encoded (eq. 7) and averaged (eq. 11)."""

    def __init__(self, near: Int64[np.ndarray, "r k"], apart: Float32[np.ndarray, "r k"], k1: int, k2: int) -> None:
        self._near, self._k1, self._k2 = near, k1, k2
        self._closer = reciprocal(near, max(k1 // 2, 1))
        is_reciprocal = reciprocal(near, k1)
        rows = [self._encoded(row, near[row], apart[row], is_reciprocal[row]) for row in range(len(near))]
        self._encodings = _averaged(_sparse(rows, len(near)), near[:, : k2 - 1])
        self._sums: Float64[np.ndarray, "r"] = np.asarray(self._encodings.sum(axis=1)).ravel()

    def jaccard(
        self, listed: Int64[np.ndarray, "k"], apart: Float32[np.ndarray, "k"], is_reciprocal: Bool[np.ndarray, "k1"]
    ) -> Float32[np.ndarray, "k"]:
        """Distances (eq. 10) of a query from the images that were retrieved for it."""
        own = _sparse([self._encoded(None, listed, apart, is_reciprocal)], len(self._near))
        nearest = listed[: self._k2 - 1]
        nearest = nearest[nearest != NOTHING]
        size = 1 + len(nearest)
        mean = (own + self._encodings_of(nearest)) / size
        # The query itself, with weight 1, is among its own neighbours and among nobody else's.
        total = float(mean.sum()) + 1 / size
        shared = self._shared(listed, mean.toarray()[0])
        return (1 - shared / (total + self._sums[listed] - shared)).astype(np.float32)

    def _shared(self, images: Int64[np.ndarray, "k"], encoding: Float64[np.ndarray, "r"]) -> Float64[np.ndarray, "k"]:
        """Sums of the smaller weights of a query and each image."""
        chosen = self._encodings[images]
        rows = np.repeat(np.arange(len(images)), np.diff(chosen.indptr))
        return np.bincount(rows, np.minimum(chosen.data, encoding[chosen.indices]), minlength=len(images))

    def _encodings_of(self, images: Int64[np.ndarray, "k"]) -> Any:
        from scipy.sparse import csr_array

        return csr_array(self._encodings[images].sum(axis=0)[None])

    def _encoded(
        self, image: int | None, listed: np.ndarray, apart: np.ndarray, is_reciprocal: Bool[np.ndarray, "k1"]
    ) -> dict[int, float]:
        """exp(-distance) of the expanded reciprocal neighbours (eq. 4) of an image of the map, or of a query (None)."""
        first = [int(c) for c, yes in zip(listed, is_reciprocal, strict=False) if yes and c != NOTHING]
        own = {*first} if image is None else {image, *first}
        taken = set(own)
        for candidate in first:
            closer = {candidate, *self._near[candidate, : self._closer.shape[1]][self._closer[candidate]].tolist()}
            if len(closer & own) >= OVERLAP * len(closer):
                taken |= closer
        distance = dict(zip(listed.tolist(), apart.tolist(), strict=True))
        if image is not None:
            distance[image] = 0.0
        return {column: float(np.exp(-distance.get(column, 1.0))) for column in sorted(taken)}


def reciprocal(near: Int64[np.ndarray, "r _"], k: int) -> Bool[np.ndarray, "r k"]:
    """Which of the first k neighbours of every image have it among their own first k (eq. 2)."""
    near = near[:, :k]
    found = [(near[rows] == row).any(axis=1) & (rows != NOTHING) for row, rows in enumerate(near)]
    return np.array(found).reshape(near.shape)


def distances(fusion: Fusion, count: int, similarity: np.ndarray) -> Float32[np.ndarray, "q k"]:
    """0 for an image itself, 1 for one that has nothing in common with it."""
    itself = replace(fusion, standardize=False).fuse([np.ones((1, 1), np.float32)] * count)[0, 0]
    return np.clip(1 - similarity / itself, 0, 1).astype(np.float32)


def _sparse(rows: list[dict[int, float]], width: int) -> Any:
    from scipy.sparse import csr_array

    indptr = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter(_flat(rows, dict.keys), np.int64, indptr[-1])
    values = np.fromiter(_flat(rows, dict.values), np.float64, indptr[-1])
    return csr_array((values, columns, indptr), shape=(len(rows), width))


def _flat(rows: list[dict[int, float]], part: Any) -> Iterator[Any]:
    return (value for row in rows for value in part(row))


def _averaged(encodings: Any, nearest: Int64[np.ndarray, "r k"]) -> Any:
    """Rows averaged with those of their nearest images."""
    from scipy.sparse import csr_array

    count, is_there = len(nearest), nearest != NOTHING
    rows = np.concatenate([np.arange(count), np.repeat(np.arange(count), is_there.sum(axis=1))])
    columns = np.concatenate([np.arange(count), nearest[is_there]])
    weights = (1 / (1 + is_there.sum(axis=1)))[rows]
    return (csr_array((weights, (rows, columns)), shape=(count, count)) @ encodings).tocsr()
