"""Photos matched without features: what quantising costs, with true matches, and what LoFTR's network costs.

    python -m tests.benchmarks.bench_photo_matching gallery FOLDER SEED...
    python -m tests.benchmarks.bench_photo_matching network WIDTHxHEIGHT

The first makes a gallery of 30 images of 640 x 480 for every seed, maps it by SIFT and by true matches on a grid of
8 px (a noise of 0.3 px, a tenth of them wrong: `tests/made_matches.py`) quantised in cells of several sizes, and prints
how many of its 8 queries are localized, with the median errors. The second prints CPU seconds and peak memory of LoFTR
with made weights, which cost what trained ones cost, on one thread.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from vloc.datasets.synthetic_gallery import GalleryConfig, make

import vloc
from tests.made_matches import MadeMatcher
from vloc.formats.results import read_truth
from vloc.matching import MATCHERS
from vloc.runtime import Runtime

CELLS = (0.001, 0.002, 0.004, 0.008)
"""parts of the longer side; 0.002 is the default"""
NOTHING = 0.0
"""least score of a match: made weights find few"""


def gallery(folder: Path, seed: int) -> None:
    """A line for each way to match a gallery."""
    root = folder / str(seed)
    make(root, GalleryConfig(num_images=30, num_queries=8, seed=seed))
    made = {"matcher": f"made:gallery={root}"}
    ways = {"sift": {}, **{f"made, cell {cell}": {**made, "features": f"matched:cell={cell}"} for cell in CELLS}}
    truth = read_truth(str(root / "query_truth.txt"))
    for name, settings in ways.items():
        with tempfile.TemporaryDirectory() as work:
            map_ = vloc.build_map(root / "mapping", Path(work) / "map", **settings)
            estimates = vloc.localize(map_, root / "query", Path(work) / "queries", retrieve={"num_retrieved": 10})
        poses = {e.name: e.cam_from_world for e in estimates if e.cam_from_world is not None}
        found = vloc.evaluate(poses, truth)
        cm, degrees = 100 * np.median(found.translation_m), np.median(found.rotation_deg)
        tracks = map_.sparse.num_observations / max(len(map_.sparse.points), 1)
        print(
            f"seed {seed} {name}: {len(poses)} of 8, {cm:.3f} cm {degrees:.4f} deg, tracks of {tracks:.2f}", flush=True
        )


def network(width: int, height: int) -> None:
    """CPU seconds of a photo and of a pair, and the memory of the process."""
    import torch
    from kornia.feature import LoFTR

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"state_dict": LoFTR(None).state_dict()}, Path(folder) / "loftr_outdoor.ckpt")
        os.environ["VLOC_WEIGHTS"] = folder
        spec = f"loftr:threshold={NOTHING},max_size={max(width, height)}"
        matcher = MATCHERS.parse(spec).load_photos(Runtime(device="cpu"))
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 255, (height, width)).astype(np.uint8) for _ in range(2)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    prepared = [matcher.prepare(photo) for photo in photos]
    middle = time.process_time()
    matcher.match(*prepared)
    end, after = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = f"{(middle - start) / 2:.1f} s a photo, {end - middle:.1f} s a pair"
    print(f"{width} x {height}: {seconds}, {after / 1e6:.1f} GB at most, of which {before / 1e6:.1f} before")


def main() -> None:
    """What is asked for."""
    kind, *rest = sys.argv[1:]
    if kind == "network":
        network(*map(int, rest[0].split("x")))
        return
    MATCHERS.register("made")(MadeMatcher)
    for seed in map(int, rest[1:]):
        gallery(Path(rest[0]), seed)


if __name__ == "__main__":
    main()
