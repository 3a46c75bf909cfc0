"""The most similar references of every query, exactly, and without ever holding all similarities at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..array_types import Bool, Float32, Int64
from ..data.selection import Ranking
from ..errors import DataError
from .fusion import Fusion

BLOCK = 2**20
"""similarities at a time: 4 MB for every descriptor, and a few times that while they are fused"""


def search(
    queries: Sequence[Float32[np.ndarray, "q _"]],
    references: Sequence[Float32[np.ndarray, "r _"]],
    fusion: Fusion,
    k: int,
    *,
    exclude_self: bool = False,
) -> Ranking:
    """The k references (or all) most similar to each query, best first; of equal ones the first rows.

    Both hold one array of unit vectors for each global descriptor. `exclude_self`: queries and references are the
    same images, and none is its own partner. DataError where the vectors do not fit together.
    """
    num_queries, num_references = len(queries[0]), len(references[0])
    if not num_queries or not num_references:
        return Ranking(np.zeros((0, 2), np.uint32), np.zeros(0, np.float32))
    _check(queries, references)
    size, found = max(BLOCK // num_references, 1), []
    for start in range(0, num_queries, size):
        rows = slice(start, min(start + size, num_queries))
        similarity = fusion.fuse([q[rows] @ r.T for q, r in zip(queries, references, strict=True)])
        if exclude_self:
            similarity[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = -np.inf
        found.append(_ranking(similarity, k, start))
    return Ranking(
        np.concatenate([ranking.rows for ranking in found]), np.concatenate([ranking.scores for ranking in found])
    )


def top_k(
    similarity: Float32[np.ndarray, "q r"], k: int
) -> tuple[Int64[np.ndarray, "q k"], Float32[np.ndarray, "q k"]]:
    """Columns and values of the k (or all) largest of every row, largest first; of equal ones the first columns."""
    num_queries, num_references = similarity.shape
    k = min(k, num_references)
    if not k:
        return np.zeros((num_queries, 0), np.int64), np.zeros((num_queries, 0), np.float32)
    columns = np.nonzero(_is_among_largest(similarity, k))[1].reshape(num_queries, k)
    values = np.take_along_axis(similarity, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def _is_among_largest(similarity: Float32[np.ndarray, "q r"], k: int) -> Bool[np.ndarray, "q r"]:
    """Exactly k of every row, also where several are equal to the k-th."""
    kth = np.partition(similarity, -k, axis=1)[:, -k, None]
    is_larger, is_equal = similarity > kth, similarity == kth
    num_open = k - is_larger.sum(axis=1, keepdims=True)
    is_among: Bool[np.ndarray, "q r"] = is_larger | (is_equal & (is_equal.cumsum(axis=1, dtype=np.int32) <= num_open))
    return is_among


def _ranking(similarity: Float32[np.ndarray, "q r"], k: int, first_query: int) -> Ranking:
    columns, scores = top_k(similarity, k)
    queries = np.broadcast_to(np.arange(first_query, first_query + len(columns))[:, None], columns.shape)
    is_allowed = np.isfinite(scores)
    return Ranking(np.stack([queries, columns], axis=-1)[is_allowed].astype(np.uint32), scores[is_allowed])


def _check(queries: Sequence[np.ndarray], references: Sequence[np.ndarray]) -> None:
    for index, (query, reference) in enumerate(zip(queries, references, strict=True)):
        if query.shape[1] != reference.shape[1]:
            dims = f"{query.shape[1]} numbers for queries and {reference.shape[1]} for the map"
            raise DataError(f"global descriptor {index}: {dims}: describe both with the map's settings")
        if not (np.isfinite(query).all() and np.isfinite(reference).all()):
            raise DataError(f"global descriptor {index}: numbers that are not finite: describe the images again")
