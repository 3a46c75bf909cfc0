"""CPU seconds that local features take for an image, each at its own settings, on one thread.

    VLOC_WEIGHTS=FOLDER python -m tests.benchmarks.bench_features PHOTO [NAME ...]

Networks whose weights are not in FOLDER get made ones, which cost what trained ones cost but for the number of
keypoints, which is told too.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from tests.features.made import MADE
from vloc.features import FEATURES
from vloc.formats.images import decode
from vloc.runtime import Runtime, one_thread_per_worker

NAMES = "sift", "colmap_sift", "r2d2", "aliked", "superpoint", "disk", "xfeat", "dedode", "keynet"
ROUNDS = 3


def seconds(name: str, photo: bytes) -> tuple[float, int]:
    """The median of some rounds, after one that does not count, and the number of keypoints."""
    feature = FEATURES.parse(name)
    image, extract = decode(photo, "photo", color=feature.in_color), feature.load(Runtime(device="cpu"))
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.process_time()
        found = extract(image)
        taken.append(time.process_time() - began)
    return float(np.median(taken[1:])), len(found)


def main() -> None:
    """A line for each feature."""
    photo = Path(sys.argv[1]).read_bytes()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder, one_thread_per_worker():
        for write in MADE.values():
            write(Path(folder))
        os.environ["VLOC_WEIGHTS"] = os.pathsep.join([*filter(None, [os.environ.get("VLOC_WEIGHTS")]), folder])
        for name in sys.argv[2:] or NAMES:
            taken, count = seconds(name, photo)
            print(f"{name:<14} {taken:6.2f} s, {count} keypoints", flush=True)


if __name__ == "__main__":
    main()
