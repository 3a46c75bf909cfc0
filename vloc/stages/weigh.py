"""Weights of fused descriptors, chosen on the map: its images are queries of each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..array_types import Bool, Float32, Float64
from ..data.selection import Weighing
from ..data.sparse_map import NO_POINT, SparseMap
from ..retrieval.fusion import Fusion
from ..retrieval.precision import average_precision
from ..retrieval.search import Vectors, top_k
from ..retrieval.sparse_rows import products
from ..runtime import Runtime
from ..stage import OnceStage

NUM_IMAGES = 512
"""of the map that are queries, at most, evenly spread"""
SIMILARITIES = 2**24
"""of one descriptor, at most: on maps of more than 32,768 images fewer are queries"""
SHARED = 0.05
"""a true neighbour of an image shows more than this share of its points"""
DEPTH = 100
"""first images that count"""
FACTOR, ROUNDS = 2.0, 4
"""by which one weight changes in a round, and how many rounds there are"""
MIN_GAIN = 0.002
"""of mean average precision, for which a weight is changed"""

Weights = Float64[np.ndarray, "n"]


def weigh(fusion: Fusion, sparse: SparseMap, vectors: Vectors) -> Weighing:
    """Weights by coordinate ascent of mean average precision, from equal ones; these where no image has a neighbour."""
    count = len(sparse.image_names)
    rows = np.unique(np.linspace(0, count - 1, min(count, NUM_IMAGES, max(SIMILARITIES // count, 1))).astype(np.int64))
    is_near = np.stack([covisible(sparse, row) for row in rows.tolist()])
    rows, is_near = rows[is_near.any(axis=1)], is_near[is_near.any(axis=1)]
    similarities = [products(own[rows], own) for own in vectors]

    def precision(similarity: Float32[np.ndarray, "q r"]) -> float:
        similarity[np.arange(len(rows)), rows] = -np.inf  # no image is its own neighbour
        return mean_average_precision(similarity, is_near)

    def worth(weights: Weights) -> float:
        return precision(fusion.weighed(weights).fuse(similarities))

    weights, most = ascend(worth, len(vectors)) if len(rows) else (np.ones(len(vectors)), 0.0)
    alone = [precision(own.copy()) for own in similarities]
    return Weighing(weights, np.array(alone), worth(np.ones(len(vectors))), most)


def covisible(sparse: SparseMap, image: int) -> Bool[np.ndarray, "r"]:
    """Which images show more than `SHARED` of the points that an image shows, itself left out."""
    own = np.unique(sparse.points_of(image))
    images, which = sparse.observations_of(own[own != NO_POINT])
    pairs = np.unique(np.stack([images, which]), axis=1)  # two keypoints of an image may show one point
    shared = np.bincount(pairs[0], minlength=len(sparse.image_names))
    shared[image] = 0
    is_near: Bool[np.ndarray, "r"] = shared > SHARED * (own != NO_POINT).sum()
    return is_near


def mean_average_precision(similarity: Float32[np.ndarray, "q r"], is_near: Bool[np.ndarray, "q r"]) -> float:
    """Of every row's first `DEPTH` columns; 0 without rows."""
    columns = top_k(similarity, DEPTH)[0]
    hits, most = np.take_along_axis(is_near, columns, axis=1), np.minimum(is_near.sum(axis=1), DEPTH)
    found = [average_precision(np.flatnonzero(row), int(count)) for row, count in zip(hits, most, strict=True)]
    return float(np.mean(found)) if found else 0.0


def ascend(worth: Callable[[Weights], float], count: int) -> tuple[Weights, float]:
    """Positive weights, the largest 1, changed one at a time as long as that pays; and what they are worth."""
    weights = np.ones(count)
    most = worth(weights)
    for _ in range(ROUNDS):
        changes = np.concatenate([np.eye(count), -np.eye(count)])
        worths = [worth(weights * FACTOR**change) for change in changes]
        best = int(np.argmax(worths))
        if worths[best] < most + MIN_GAIN:
            break
        weights, most = weights * FACTOR ** changes[best], worths[best]
    return weights / weights.max(), most


def _weigh(fusion: Fusion, runtime: Runtime, sparse: SparseMap, vectors: Vectors) -> Weighing:
    return weigh(fusion, sparse, vectors)


WEIGH: OnceStage[Weighing] = OnceStage("weigh", 1, Weighing, _weigh)
