"""Matching 4,096 x 4,096 x 128, mutual and ratio, many pairs: its rate beside the machine's own matrix product.

    python tests/benchmarks/bench_matching.py [--images 12] [--threads 2] [--keypoints 4096] [--product int8]

Both run in as many threads with one BLAS thread each, on all pairs of the images, in turns; the product writes into
memory it has, the matcher reads its descriptors from a memory-mapped file and prepares each image once.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from threading import local

import numpy as np

from vloc.data.features import LocalFeatures
from vloc.features.root_sift import root_sift
from vloc.matching import MATCHERS
from vloc.runtime import Runtime, one_thread_per_worker

DIMS = 128
Pair = tuple[int, int]


def write_shard(path: Path, images: int, keypoints: int) -> np.ndarray:
    """Bytes of `images` images, half of whose keypoints show the same things."""
    rng = np.random.default_rng(0)
    things = rng.gamma(0.6, 20, (keypoints, DIMS))
    shard = np.lib.format.open_memmap(path, "w+", np.uint8, (images, keypoints, DIMS))
    for image in shard:
        seen = things * rng.uniform(0.8, 1.2, things.shape)
        seen[::2] = rng.gamma(0.6, 20, seen[::2].shape)
        image[:] = root_sift(np.minimum(seen, 255).astype(np.uint8))
    shard.flush()
    return np.load(path, mmap_mode="r")


def rate(work: Callable[[Pair], object], pairs: Sequence[Pair], threads: int, keypoints: int) -> tuple[float, float]:
    """Operations of the products alone, in 10^9 a second, over the time of everything; CPU ms of a pair."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, pairs[: 2 * threads]))  # fresh memory and thread start are not what is measured
        start, cpu = time.perf_counter(), time.process_time()
        list(pool.map(work, pairs))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return 2 * keypoints**2 * DIMS * len(pairs) / seconds / 1e9, 1000 * cpu / len(pairs)


def product(shard: np.ndarray) -> Callable[[Pair], object]:
    """The matrix product of a pair's descriptors and nothing else."""
    floats, memory = shard.astype(np.float32), local()

    def multiply(pair: Pair) -> None:
        if not hasattr(memory, "out"):
            memory.out = np.empty((shard.shape[1],) * 2, np.float32)
        np.matmul(floats[pair[0]], floats[pair[1]].T, out=memory.out)

    return multiply


def matching(shard: np.ndarray, kind: str) -> Callable[[Pair], object]:
    """Matches of a pair, from its descriptors in the file."""
    matcher = MATCHERS.parse(f"nn:product={kind}").load(Runtime())
    nothing = np.zeros((shard.shape[1], 2), np.float32)

    @cache
    def prepared(image: int) -> object:
        return matcher.prepare(LocalFeatures(nothing, shard[image], nothing[:, 0], nothing[:, 0]), (1, 1))

    return lambda pair: matcher.match(prepared(pair[0]), prepared(pair[1]))


def main() -> None:
    """Print both rates and their ratio, the median of five rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in (("--images", 12), ("--threads", 2), ("--keypoints", 4096)):
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--product", default="float32")
    args = parser.parse_args()
    pairs = list(itertools.combinations(range(args.images), 2))
    with tempfile.TemporaryDirectory() as folder, one_thread_per_worker():
        shard = write_shard(Path(folder) / "descriptors.npy", args.images, args.keypoints)
        makers = (product, partial(matching, kind=args.product))
        rounds = [[rate(make(shard), pairs, args.threads, args.keypoints) for make in makers] for _ in range(5)]
    (products, matchings), cpu = np.array(rounds).transpose(2, 1, 0)
    milliseconds = 2e-6 * args.keypoints**2 * DIMS / np.median(matchings)
    print(f"matrix product {np.median(products):.0f} GFLOP/s, {np.median(cpu[0]):.1f} CPU ms a pair")
    print(f"matching {np.median(matchings):.0f} GFLOP/s, {milliseconds:.1f} ms a pair, {np.median(cpu[1]):.1f} CPU ms")
    print(f"matching runs at {100 * np.median(matchings / products):.0f} % of the matrix product")


if __name__ == "__main__":
    main()
