"""Bags of words by an inverted index and as they are: CPU seconds to search, and memory.

    python tests/benchmarks/bench_sparse.py [IMAGES] [QUERIES] [KEYPOINTS]

IMAGES map images (10,000) and QUERIES queries (100) of KEYPOINTS keypoints (2000) each, whose words are drawn by
frequencies as uneven as those of SIFT on photos are (lognormal, 0.7): products of all with all, on one thread, the best
of three, the largest difference between both, and megabytes of the map's vectors.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from vloc.retrieval.sparse_rows import SparseRows, products
from vloc.retrieval.vlad import unit
from vloc.runtime import one_thread_per_worker

WORDS = (1024, 4096, 16_384, 65_536)
UNEVEN, ROUNDS = 0.7, 3


def bags(count: int, num_words: int, keypoints: int, seed: int) -> Iterator[np.ndarray]:
    """Unit vectors of the roots of counts; the words' frequencies are the same whatever the seed."""
    shares = np.random.default_rng(num_words).lognormal(0, UNEVEN, num_words)
    ends, rng = np.cumsum(shares / shares.sum()), np.random.default_rng(seed)
    for _ in range(count):
        words = np.minimum(np.searchsorted(ends, rng.random(keypoints)), num_words - 1)
        yield unit(np.sqrt(np.bincount(words, minlength=num_words)).astype(np.float32))


def best(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """CPU seconds, and what was made."""
    fastest, made = np.inf, run()
    for _ in range(ROUNDS):
        began = time.process_time()
        made = run()
        fastest = min(fastest, time.process_time() - began)
    return fastest, made


def main() -> None:
    """A line for each size of the vocabulary."""
    given = [int(text) for text in sys.argv[1:]]
    num_images, num_queries, keypoints = [*given, *(10_000, 100, 2000)[len(given) :]]
    for num_words in WORDS:
        references, queries = (
            SparseRows.of(bags(count, num_words, keypoints, seed))
            for count, seed in ((num_images, 1), (num_queries, 2))
        )
        share, size = references.matrix.nnz / np.prod(references.shape), 8 * references.matrix.nnz / 2**20
        with one_thread_per_worker():
            by_index, found = best(lambda q=queries, r=references: products(q, r))
            dense = [each.matrix.toarray() for each in (queries, references)]
            as_they_are, expected = best(lambda d=dense: products(*d))
        print(
            f"{num_words} words, {100 * share:.0f} % not zero: index {by_index:.2f} CPU s, {size:.0f} MB; "
            f"as they are {as_they_are:.2f} CPU s, {dense[1].nbytes / 2**20:.0f} MB; "
            f"difference {np.abs(found - expected).max():.0e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
