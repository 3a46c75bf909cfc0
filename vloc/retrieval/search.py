"""The most similar references of every query, exactly, and without ever holding all similarities at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..array_types import Bool, Float32, Int64
from ..data.selection import NOTHING, Ranking
from ..errors import DataError
from .fusion import Fusion
from .sparse_rows import Rows, products

PRODUCTS = 2**23
"""similarities that one product of matrices gives: 32 MB for every descriptor; smaller products are slower"""
BLOCK = 2**20
"""of these, how many at a time: a few times 4 MB for every descriptor while they are fused and sorted"""


Vectors = Sequence[Rows]
"""unit vectors of some images, an array for each global descriptor"""
Allowed = Callable[[Int64[np.ndarray, "q"]], Bool[np.ndarray, "q r"]]
"""which references some queries (rows) may be given; asked for block by block"""


def search(
    queries: Vectors,
    references: Vectors,
    fusion: Fusion,
    k: int,
    allowed: Allowed | None = None,
) -> Ranking:
    """The k references (or all) most similar to each query, best first; of equal ones the first rows.

    Both hold one array of unit vectors for each global descriptor. Where `allowed` is given, none but those that it
    allows, which may be fewer. DataError where the vectors do not fit together.
    """
    num_queries, num_references = len(queries[0]), len(references[0])
    if not num_queries or not num_references:
        return Ranking(np.zeros((0, 2), np.uint32), np.zeros(0, np.float32))
    _check(queries, references)
    found = []
    for start, similarities in _blocks(queries, references):
        similarity = fusion.fuse(similarities)
        if allowed is not None:
            similarity[~allowed(np.arange(start, start + len(similarity)))] = -np.inf
        columns, scores = top_k(similarity, k)
        found.append(Ranking.packed(np.where(np.isfinite(scores), columns, NOTHING), scores, start))
    return Ranking(
        np.concatenate([ranking.rows for ranking in found]), np.concatenate([ranking.scores for ranking in found])
    )


def _blocks(queries: Vectors, references: Vectors) -> Iterator[tuple[int, list[Float32[np.ndarray, "q r"]]]]:
    """First row and similarities by each descriptor of few queries at a time, from products of more."""
    count, num_references = len(queries[0]), len(references[0])
    large, small = (max(size // num_references, 1) for size in (PRODUCTS, BLOCK))
    for start in range(0, count, large):
        made = [products(q[start : start + large], r) for q, r in zip(queries, references, strict=True)]
        for index, product in enumerate(made):
            if not np.isfinite(product.sum()):  # as any number is, and no array of the size is made
                raise DataError(f"global descriptor {index}: numbers that are not finite: describe the images again")
        for first in range(0, len(made[0]), small):
            yield start + first, [product[first : first + small] for product in made]


def others(count: int) -> Allowed:
    """Every reference but the query's own row, where queries and references are the same images."""
    return lambda rows: rows[:, None] != np.arange(count)


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


def _check(queries: Vectors, references: Vectors) -> None:
    for index, (query, reference) in enumerate(zip(queries, references, strict=True)):
        if query.shape[1] != reference.shape[1]:
            dims = f"{query.shape[1]} numbers for queries and {reference.shape[1]} for the map"
            raise DataError(f"global descriptor {index}: {dims}: describe both with the map's settings")
