"""Fused search in a large map: seconds, against the bare products, and memory beyond the vectors.

    python tests/benchmarks/bench_search.py [IMAGES] [DIMS] [QUERIES]

Two descriptors of DIMS numbers (2048) of IMAGES map images (100,000) and QUERIES queries (1,000), the 50 most similar
by GHarm. The bare products are those of queries and references in float32, 250 queries at a time, and nothing else;
both in turns, the best of three. CPU seconds too, since wall time is worth little on a busy machine.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from vloc.retrieval import FUSIONS
from vloc.retrieval.search import search

K, ROUNDS, PRODUCT = 50, 3, 250


def unit_rows(count: int, dims: int, rng: np.random.Generator) -> np.ndarray:
    """Random unit vectors, made in parts so that making them takes no memory of its own."""
    rows = np.empty((count, dims), np.float32)
    for part in np.array_split(rows, max(count // 4096, 1)):
        rng.standard_normal(dtype=np.float32, out=part)
        np.divide(part, np.linalg.norm(part, axis=1, keepdims=True), out=part)
    return rows


def bare(queries: list[np.ndarray], references: list[np.ndarray]) -> None:
    """The products alone."""
    for own, others in zip(queries, references, strict=True):
        for start in range(0, len(own), PRODUCT):
            own[start : start + PRODUCT] @ others.T


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_mb() -> float:
    """Of this process, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """A line for the products, one for the search, one for memory."""
    given = [int(text) for text in sys.argv[1:]]
    num_images, dims, num_queries = [*given, *(100_000, 2048, 1000)[len(given) :]]
    rng = np.random.default_rng(0)
    references = [unit_rows(num_images, dims, rng) for _ in range(2)]
    queries = [unit_rows(num_queries, dims, rng) for _ in range(2)]
    fusion, before = FUSIONS.parse("gharm"), peak_mb()
    runs = {"products": lambda: bare(queries, references), "search": lambda: search(queries, references, fusion, K)}
    best = dict.fromkeys(runs, (np.inf, np.inf))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = min(best[name], seconds(run))
    for name, (wall, cpu) in best.items():
        print(f"{name}: {wall:.1f} s, {cpu:.1f} CPU s", flush=True)
    ratios = [best["search"][i] / best["products"][i] for i in (0, 1)]
    print(f"search / products: {ratios[0]:.2f} wall, {ratios[1]:.2f} CPU", flush=True)
    print(f"peak memory: {before:.0f} MB of vectors, {peak_mb() - before:+.0f} MB to search", flush=True)


if __name__ == "__main__":
    main()
