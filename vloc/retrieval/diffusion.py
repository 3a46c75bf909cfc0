"""Similarity that spreads along the map: what is near to what is near to a query is near to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import Float32, Float64, Int64
from ..data.selection import NOTHING, Ranking
from .reranking import RERANKINGS, Searcher
from .search import Allowed, Vectors, others

ITERATIONS = 20
"""of conjugate gradients, as the authors'"""


@RERANKINGS.register("diffusion")
@dataclass(frozen=True)
class Diffusion:
    """A random walk that starts at the query's nearest references and follows mutual neighbours of the map.

    Iscen et al., Efficient diffusion on region manifolds, CVPR 2017: f = (I - alpha S)^-1 y by conjugate gradients,
    S = D^-1/2 A D^-1/2 of the affinities A, similarities to the power gamma of mutual neighbours (eq. 1 to 6).
    """

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "anywhere"

    depth: Annotated[int, msgspec.Meta(ge=1)] = 100
    """first references that are put in another order"""
    k: Annotated[int, msgspec.Meta(ge=1)] = 20
    """neighbours of each reference in the graph"""
    k_query: Annotated[int, msgspec.Meta(ge=1)] = 5
    """references where the walk starts"""
    gamma: Annotated[float, msgspec.Meta(ge=0, le=100)] = 3.0
    """power of similarities"""
    alpha: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.99
    """the larger, the longer the walk"""

    def over(self, base: Searcher) -> Searcher:
        """The search by where the walk gets."""
        count = base.num_references
        near, similar = base(base.references, self.k, others(count)).padded(count)
        system = laplacian(near, np.maximum(similar, 0) ** self.gamma, self.alpha) if near.size else None

        def find(queries: Vectors, k: int, allowed: Allowed | None) -> Ranking:
            columns, scores = base(queries, max(k, self.depth), allowed).padded(len(queries[0]))
            if system is None:
                return Ranking.packed(columns[:, :k], scores[:, :k])
            for row, (listed, similarity) in enumerate(zip(columns, scores, strict=True)):
                reached = self._walk(system, listed, similarity)
                order = np.argsort(-reached, kind="stable")
                columns[row], scores[row] = listed[order], reached[order]
            return Ranking.packed(columns[:, :k], scores[:, :k])

        return base.by(find)

    def _walk(
        self, system: Any, listed: Int64[np.ndarray, "k"], similarity: Float32[np.ndarray, "k"]
    ) -> Float32[np.ndarray, "k"]:
        """How much of a walk from the first of a list is at each of it; nothing at none, and beyond the depth."""
        from scipy.sparse.linalg import cg

        start = np.zeros(system.shape[0])
        seeds = listed[: self.k_query] != NOTHING
        start[listed[: self.k_query][seeds]] = np.maximum(similarity[: self.k_query][seeds], 0) ** self.gamma
        reached, _ = cg(system, start, maxiter=ITERATIONS)
        is_open = (listed != NOTHING) & (np.arange(len(listed)) < self.depth)
        return np.where(is_open, np.maximum(reached[listed], 0), -1.0).astype(np.float32)


def laplacian(near: Int64[np.ndarray, "r k"], affinity: Float32[np.ndarray, "r k"], alpha: float) -> Any:
    """Sparse (r, r) I - alpha D^-1/2 A D^-1/2 of mutual neighbours; those that have none stand alone."""
    from scipy.sparse import csr_array, diags_array, eye_array

    count, is_there = len(near), near != NOTHING
    rows = np.repeat(np.arange(count), is_there.sum(axis=1))
    directed = csr_array((affinity[is_there].astype(np.float64), (rows, near[is_there])), shape=(count, count))
    mutual = directed.minimum(directed.T)  # 0 where only one is the other's neighbour
    degrees: Float64[np.ndarray, "r"] = np.asarray(mutual.sum(axis=1)).ravel()
    scale = diags_array(1 / np.sqrt(np.where(degrees > 0, degrees, 1)))
    return (eye_array(count) - alpha * (scale @ mutual @ scale)).tocsr()
