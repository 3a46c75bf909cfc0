"""Retrieval alone, on a synthetic gallery: how many of the images of a place are among the first.

    python tests/benchmarks/bench_retrieval.py GALLERY densevlad vlad densevlad/vlad

Descriptors that are fused are joined by `/`. An image shows a query's place if it was taken within 4 m and 40 degrees.
Percent of the queries with such an image first, and among the first five and twenty; the share of the first twenty that
are such images, of as many as there could be; how much similarities differ from image to image (standard deviation,
mean over queries); and milliseconds of CPU to describe an image, local features apart.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import vloc
from vloc.data.features import LocalFeatures
from vloc.data.selection import evenly
from vloc.features.sift import Sift
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.retrieval import DESCRIPTORS
from vloc.retrieval.aggregated import Aggregated
from vloc.retrieval.base import TRAINING_IMAGES
from vloc.retrieval.fusion import GeneralizedHarmonicMean
from vloc.retrieval.search import search
from vloc.runtime import Runtime, one_thread_per_worker

NEAR_M, NEAR_DEG = 4.0, 40.0
RETRIEVED = 20


def pixels(capture: vloc.Capture, name: str) -> np.ndarray:
    """A photo in grey."""
    assert capture.files is not None
    return decode(capture.files.read(name), name, color=False)


def features(capture: vloc.Capture) -> dict[str, LocalFeatures]:
    """SIFT of every image."""
    extract = Sift().load(Runtime())
    with Runtime().mapping() as each:
        return dict(
            zip(
                capture.images.names,
                each(lambda name: extract(pixels(capture, name)), capture.images.names),
                strict=True,
            )
        )


def vectors(written: str, captures: list[vloc.Capture], found: list[dict[str, LocalFeatures]]) -> list[np.ndarray]:
    """Of the queries and of the map, by one descriptor."""
    descriptor = DESCRIPTORS.parse(written)
    of_features = isinstance(descriptor, Aggregated)
    seen = [
        (lambda name, own=own, capture=capture: own[name] if of_features else pixels(capture, name))
        for own, capture in zip(found, captures, strict=True)
    ]
    learned = [seen[1](name) for name in evenly(captures[1].images.names, TRAINING_IMAGES)]
    describe = descriptor.load(Runtime(), descriptor.train(Runtime(), learned, 0))
    began = time.process_time()
    made = [
        np.stack([describe(look(n)).vector for n in c.images.names]) for look, c in zip(seen, captures, strict=True)
    ]
    print(f"{written}: {1000 * (time.process_time() - began) / sum(map(len, made)):.1f} ms an image", flush=True)
    return made


def main() -> None:
    """A line for each choice of descriptors, by day and by night."""
    folder = Path(sys.argv[1])
    captures = [vloc.read(f"kapture:{folder / part}") for part in ("query", "mapping")]
    truth, names = read_poses(folder / "query_truth.txt"), captures[0].images.names
    placed = captures[1].cam_from_world
    away = [pose_errors(placed, truth[name]) for name in names]
    is_near = np.array([(metres < NEAR_M) & (np.degrees(radians) < NEAR_DEG) for metres, radians in away])
    with one_thread_per_worker():
        found = [features(capture) for capture in captures]
        made = {word: vectors(word, captures, found) for word in dict.fromkeys("/".join(sys.argv[2:]).split("/"))}
    for words in sys.argv[2:]:
        queries, references = zip(*(made[word] for word in words.split("/")), strict=True)
        ranking = search(queries, references, GeneralizedHarmonicMean(), RETRIEVED)
        spread = GeneralizedHarmonicMean().fuse([q @ r.T for q, r in zip(queries, references, strict=True)]).std(axis=1)
        hits = np.array([is_near[row][ranking.of(row)] for row in range(len(names))])
        most = np.minimum(is_near.sum(1), RETRIEVED)
        figures = np.stack([hits[:, 0], hits[:, :5].any(1), hits.any(1), hits.sum(1) / np.maximum(most, 1)], axis=1)
        for light in ("day", "night"):
            rows = [row for row, name in enumerate(names) if name.startswith(light)]
            text = " / ".join(f"{figure:.1f}" for figure in 100 * figures[rows].mean(0))
            print(f"{words}, {light} ({len(rows)}): {text} %, spread {spread[rows].mean():.3f}", flush=True)


if __name__ == "__main__":
    main()
