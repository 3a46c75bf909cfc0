"""Matching two posed images of 8,192 x 8,192 x 128 by epipolar bands, beside the full product, in turns on one thread.

    python tests/benchmarks/bench_bands.py [--keypoints 8192] [--rounds 7]

Keypoints lie anywhere in 1024 x 683 px, descriptors are of bytes. CPU time of the process.
Preparing an image, once for all its pairs, stands apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from vloc.data.features import LocalFeatures
from vloc.geometry.camera import Camera
from vloc.geometry.half_planes import posed_rays
from vloc.geometry.rigid import Rigid
from vloc.matching.epipolar_bands import EpipolarBands
from vloc.runtime import Runtime, one_thread_per_worker

CAMERA = Camera("PINHOLE", 1024, 683, (920.0, 920.0, 512.0, 341.5))
MOTIONS = {"sideways": (1.0, 0.1, 0.0), "forwards": (0.05, 0.02, 1.0), "oblique": (1.0, 0.0, 1.0)}


def features(count: int, seed: int) -> LocalFeatures:
    """Keypoints anywhere, descriptors of anything."""
    rng = np.random.default_rng(seed)
    rows = np.abs(rng.normal(size=(count, 128)))
    rows = np.rint(512 * rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.uint8)
    pixels = rng.uniform(0, 1, (count, 2)) * [CAMERA.width, CAMERA.height]
    ones = np.ones(count, np.float32)
    return LocalFeatures(pixels.astype(np.float32), rows, ones, ones)


def milliseconds(run: Callable[[], object]) -> float:
    """CPU time of one call."""
    began = time.process_time()
    run()
    return 1000 * (time.process_time() - began)


def main() -> None:
    """Print a line for each motion, medians of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keypoints", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    images = [features(args.keypoints, seed) for seed in (1, 2)]
    pixels = [image.keypoints.astype(np.float64) for image in images]
    full, bands = EpipolarBands().load(Runtime()), EpipolarBands().load_posed(Runtime())
    whole, banded = [full.prepare(image, CAMERA.size) for image in images], [bands.prepare(image) for image in images]
    with one_thread_per_worker():
        print(
            f"preparing an image {np.median([milliseconds(lambda: bands.prepare(images[0])) for _ in range(5)]):.1f} ms"
        )
        for name, center in MOTIONS.items():
            poses = [Rigid(np.eye(3), -np.array(place)) for place in (np.zeros(3), center)]
            rays = tuple(posed_rays(CAMERA, pose, own) for pose, own in zip(poses, pixels, strict=True))
            jobs = (partial(full.match, *whole), partial(bands.match_posed, *banded, rays))
            first, second = np.median([[milliseconds(job) for job in jobs] for _ in range(args.rounds)], axis=0)
            print(f"{name}: full product {first:.0f} ms, bands {second:.1f} ms, a part of 1 in {first / second:.1f}")


if __name__ == "__main__":
    main()
