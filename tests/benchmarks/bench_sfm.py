"""SfM of the synthetic gallery without poses: incremental against global, on one and on two threads.

    python tests/benchmarks/bench_sfm.py FOLDER [--no-rigs] [--threads 1 2] [--longest 540] [SIZE ...]

Images of 320 x 240 px, 1,000 keypoints and 10 pairs each. Prints the mapper's seconds, how many images it registered,
the median distance of their centres from the truth after a similarity, and the share of parts of 100 images that are
right by themselves; each run may take `--longest` seconds. The three cameras of the gallery's rig are tied as
`--sfm.rigs auto` has it, or not at all. FOLDER keeps the galleries, features and matches, so that runs differ in the
mapper alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np

import vloc
from vloc.config import MappingConfig, make_config
from vloc.data.records import Trajectory
from vloc.geometry.alignment import align
from vloc.map import MANIFEST
from vloc.mapping import map_capture
from vloc.run.workspace import Workspace

PART, RIGHT = 100, 0.1
"""images, and metres"""


def measure(gallery: Path, work: Path, method: str, threads: int, rigs: str) -> dict[str, float]:
    """Map the gallery without its poses."""
    (work / MANIFEST).unlink(missing_ok=True)  # the frame of the run before is not to be kept
    for earlier in work.glob("reconstruct-*"):
        shutil.rmtree(earlier)
    posed = vloc.read(gallery / "mapping")
    settings = {"extract": "sift:max_keypoints=1000", "pair": {"num_pairs": 10}, "calibrate": {"num_images": 0}}
    config = make_config(MappingConfig, **settings, sfm={"method": method, "num_threads": threads, "rigs": rigs})
    with Workspace(work) as space:
        sparse = map_capture(space, replace(posed, trajectory=Trajectory.empty()), config).sparse
    rows = [posed.row_of[name] for name in sparse.image_names]
    truth, found = posed.cam_from_world[rows].center, sparse.cam_from_world.center
    seconds = space.stage_seconds["reconstruct"]
    return {"seconds": seconds, "images": len(rows), "error": error(found, truth), "parts": right_parts(found, truth)}


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Median distance of centres (n, 3) after a similarity, metres."""
    return float(np.median(np.linalg.norm(align(found, truth).apply(found) - truth, axis=1)))


def right_parts(found: np.ndarray, truth: np.ndarray) -> float:
    """The share of the parts of 100 consecutive images that are right to 10 cm, each by itself."""
    parts = [slice(start, start + PART) for start in range(0, len(found), PART)]
    return float(np.mean([error(found[part], truth[part]) < RIGHT for part in parts]))


def cell(gallery: Path, work: Path, longest: float, *chosen: str | int) -> str:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(gallery), str(work), *map(str, chosen)]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=longest, check=False)
    except subprocess.TimeoutExpired:
        return f"stopped after {longest:.0f} s"
    if child.returncode:
        return child.stderr.strip().splitlines()[-1]
    found = json.loads(child.stdout)
    parts = f"{100 * found['parts']:.0f} % of the parts right"
    return f"{found['seconds']:8.1f} s {found['images']:6d} images {1000 * found['error']:8.2f} mm, {parts}"


def main() -> None:
    """Every method and number of threads at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sizes", type=int, nargs="*", default=[100, 400])
    parser.add_argument("--no-rigs", action="store_true")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--longest", type=float, default=540)
    flags = parser.parse_args()
    scene = import_module("vloc.datasets.synthetic_gallery")
    for size in flags.sizes:
        gallery = flags.folder / f"gallery-{size}"
        scene.make(gallery, scene.GalleryConfig(num_images=size, num_queries=max(4, size // 10), image_size=(320, 240)))
        for method, threads in product(("global", "incremental"), flags.threads):
            work, rigs = flags.folder / f"work-{size}", "none" if flags.no_rigs else "auto"
            text = cell(gallery, work, flags.longest, method, threads, rigs)
            print(f"{size:5d} images, {method:<12} {threads} threads: {text}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        print(json.dumps(measure(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]), sys.argv[6])))
    else:
        main()
