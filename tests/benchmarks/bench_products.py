"""How many matches change where descriptors of fewer bits are multiplied.

    VLOC_WEIGHTS=FOLDER python tests/benchmarks/bench_products.py PHOTO PHOTO [FEATURE ...]

Mutual nearest neighbours of two photos, with the feature's own ratio, by exact products of the descriptors; then
percent of these that are lost, and of new ones, where descriptors are rounded: `int8` to 255 steps between the largest
values of both photos, `bfloat16`, and `two int8` to 32,513 steps, the smallest of the four parts of products left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from vloc.features import FEATURES
from vloc.formats.images import decode
from vloc.matching import MATCHERS
from vloc.matching.nearest_neighbour import NearestNeighbour, clear_matches, prepared
from vloc.matching.similarity import Neighbours
from vloc.runtime import Runtime


def rounded(first: np.ndarray, second: np.ndarray, largest: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Both as whole numbers up to `largest`, and what their products are to be divided by."""
    scale = largest / max(np.abs(first).max(), np.abs(second).max())
    return np.rint(first * scale), np.rint(second * scale), scale**2


def by_int8(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Products of whole numbers from -127 to 127."""
    left, right, scale = rounded(first, second, 127)
    return left @ right.T / scale


def by_two_int8(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Products of numbers of two such digits, without those of the lower digits."""
    left, right, scale = rounded(first, second, 127 * 128)
    highs = np.rint(left / 128), np.rint(right / 128)
    lows = left - 128 * highs[0], right - 128 * highs[1]
    return (128.0**2 * highs[0] @ highs[1].T + 128 * (highs[0] @ lows[1].T + lows[0] @ highs[1].T)) / scale


def by_bfloat16(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Products of descriptors in bfloat16, themselves not rounded."""
    import torch

    left, right = (torch.from_numpy(rows).bfloat16().float().numpy() for rows in (first, second))
    return left @ right.T


def matches(products: np.ndarray, unit: float, settings: NearestNeighbour) -> set[tuple[int, int]]:
    """The matches that products give."""
    rows, best = np.arange(len(products)), products.argmax(axis=1)
    others = products.copy()
    others[rows, best] = -np.inf
    parts = products[rows, best], others.max(axis=1), products.max(axis=0)
    found = Neighbours(best, *(part.astype(np.float32) for part in parts))
    return {(i, j) for i, j in clear_matches(found, unit, settings).indices.tolist()}


def main() -> None:
    """A line for each feature."""
    photos, names = [Path(text) for text in sys.argv[1:3]], sys.argv[3:] or ["sift", "aliked", "r2d2"]
    for name in names:
        feature = FEATURES.parse(name)
        extract, settings = feature.load(Runtime()), MATCHERS.parse(feature.matcher)
        first, second = (prepared(extract(decode(p.read_bytes(), str(p), color=feature.in_color))) for p in photos)
        unit = first.unit * second.unit
        expected = matches(first.rows.astype(np.float64) @ second.rows.T, unit, settings)
        print(f"{name}: {len(expected)} matches", flush=True)
        for kind, product in (("int8", by_int8), ("bfloat16", by_bfloat16), ("two int8", by_two_int8)):
            found = matches(product(first.rows, second.rows), unit, settings)
            lost, new = (100 * len(part) / len(expected) for part in (expected - found, found - expected))
            print(f"  {kind}: {lost:.1f} % lost, {new:.1f} % new", flush=True)


if __name__ == "__main__":
    main()
