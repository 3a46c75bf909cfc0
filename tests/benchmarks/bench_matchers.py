"""Matchers without poses on all pairs of a capture whose poses are known: how many matches, and how many are right.

    VLOC_WEIGHTS=FOLDER python tests/benchmarks/bench_matchers.py CAPTURE [--pixel-center 0] \
        [--features sift aliked] [--matchers nn nn:ratio=1 adalam] [--keypoints 2048]

Right: within 2 px of both epipolar lines, meeting in front of both cameras. Wrong matches pass by chance where they lie
on a line, so the part of right ones is an upper bound. Pairs that show different things count too. CPU seconds of one
thread; a matcher's first call is not counted.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations

import numpy as np

from vloc.data.capture import Capture
from vloc.data.features import LocalFeatures, Matches
from vloc.features import FEATURES
from vloc.formats.access import read
from vloc.formats.images import decode
from vloc.geometry.epipolar import agrees_with_poses
from vloc.matching import MATCHERS
from vloc.runtime import Runtime, one_thread_per_worker

MAX_ERROR_PX = 2.0
Pair = tuple[str, str]


def extracted(capture: Capture, spec: str) -> dict[str, LocalFeatures]:
    """The features of every image."""
    feature, files = FEATURES.parse(spec), capture.files
    assert files is not None
    extract = feature.load(Runtime(device="cpu"))
    return {name: extract(decode(files.read(name), name, color=feature.in_color)) for name in capture.images.names}


def right(capture: Capture, features: dict[str, LocalFeatures], pair: Pair, matches: Matches) -> int:
    """How many matches of a pair agree with its poses."""
    first, second = pair
    poses = capture.pose(first), capture.pose(second)
    assert poses[0] is not None and poses[1] is not None
    pixels = [features[name].keypoints[rows].astype(float) for name, rows in zip(pair, matches.indices.T, strict=True)]
    cameras = capture.camera(first), capture.camera(second)
    motion = poses[1] @ poses[0].inverse()
    return int(agrees_with_poses(pixels[0], cameras[0], pixels[1], cameras[1], motion, MAX_ERROR_PX).sum())


def line(capture: Capture, features: dict[str, LocalFeatures], spec: str) -> str:
    """What one matcher finds."""
    matcher = MATCHERS.parse(spec).load(Runtime(device="cpu"))
    images = {name: matcher.prepare(own, capture.camera(name).size) for name, own in features.items()}
    pairs = list(combinations(features, 2))
    matcher.match(*(images[name] for name in pairs[0]))
    began = time.process_time()
    found = {pair: matcher.match(images[pair[0]], images[pair[1]]) for pair in pairs}
    seconds = (time.process_time() - began) / len(pairs)
    counts = np.array([[len(m), right(capture, features, pair, m)] for pair, m in found.items()])
    total, good = counts.sum(axis=0)
    share = good / max(total, 1)
    few = np.sum(counts[:, 1] >= 30)
    return (
        f"{spec:<28} {total / len(pairs):7.1f} matches a pair, {good / len(pairs):7.1f} right ({share:.3f}), "
        f"{few:3d} of {len(pairs)} pairs with 30 right, {1000 * seconds:7.1f} ms a pair"
    )


def main() -> None:
    """Print a line for each feature and matcher."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture")
    parser.add_argument("--pixel-center", type=float, default=0.5)
    parser.add_argument("--features", nargs="+", default=["sift", "aliked"])
    parser.add_argument("--matchers", nargs="+", default=["nn", "nn:ratio=1", "adalam"])
    parser.add_argument("--keypoints", type=int, default=2048)
    args = parser.parse_args()
    capture = read(args.capture, pixel_center=args.pixel_center)
    with one_thread_per_worker():
        _one_torch_thread()
        for spec in args.features:
            separator = "," if ":" in spec else ":"
            features = extracted(capture, f"{spec}{separator}max_keypoints={args.keypoints}")
            print(f"{spec}, {np.mean([len(own) for own in features.values()]):.0f} keypoints an image", flush=True)
            for matcher in args.matchers:
                print(" ", line(capture, features, matcher), flush=True)


def _one_torch_thread() -> None:
    import torch

    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
