"""One query in memory: its time, and that of its parts, in units of its own feature extraction; quiet, and disturbed.

    vloc run synthetic_gallery FOLDER --num-images 60 --image-size 1024 768
    vloc map FOLDER/mapping FOLDER.map
    python tests/benchmarks/bench_query.py FOLDER FOLDER.map [--rounds 3] [--pixel-center 0]

FOLDER holds `query/`, a kapture capture. Extraction is measured as a program does it that does nothing else, by as many
threads as OpenCV takes. Disturbed: a process of its own keeps one core busy; ratios are then those of the same query's
time in quiet. Every figure is the median over all queries and rounds, quiet and disturbed in turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import vloc
from vloc.formats.images import decode


@contextmanager
def one_core_taken() -> Iterator[None]:
    """A process that computes all the time."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        yield
    finally:
        busy.kill()
        busy.wait()


def milliseconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("map", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pixel-center", type=float, default=0.5)
    args = parser.parse_args()
    queries = vloc.read(f"kapture:{args.folder / 'query'}", pixel_center=args.pixel_center)
    localizer = vloc.Localizer(args.map)
    extract = localizer.map.config.extract.load(vloc.Runtime())
    root = args.folder / "query" / "sensors" / "records_data"
    photos = {name: decode((root / name).read_bytes(), name, color=False) for name in queries.images.names}

    def measure() -> list[tuple[float, float]]:
        return [
            (
                milliseconds(lambda p=photo: extract(p)),
                milliseconds(lambda p=photo, n=name: localizer.localize(p, queries.camera(n))),
            )
            for name, photo in photos.items()
        ]

    measure()  # the map's images are read at the first query that needs them
    quiet, disturbed = [], []
    for _ in range(args.rounds):
        quiet += measure()
        with one_core_taken():
            disturbed += measure()
    (extraction, query), (slow_extraction, slow_query) = np.transpose(quiet), np.transpose(disturbed)
    print(f"extraction {np.median(extraction):.0f} ms, query {np.median(query):.0f} ms")
    print(f"query / extraction: {np.median(query / extraction):.2f}")
    print(f"one core taken: {np.median(slow_query / query):.2f} times as long")
    print(f"  (extraction alone: {np.median(slow_extraction / extraction):.2f})")


if __name__ == "__main__":
    main()
