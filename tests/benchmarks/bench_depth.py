"""Maps from rays, depth, a scan, and both: how well they place queries on the synthetic gallery.

    python tests/benchmarks/bench_depth.py FOLDER --seeds 91 92 [--foreign] [--plot FILE]

A gallery of 90 images at 640 x 480, 120 queries, every other one at night. Depth is exact (of the renderer), or as a
sensor has it: sigma = 1.5 mm + 2 mm (z / m)^2, a tenth of it missing in patches, nothing beyond 8 m. The scan is the
mesh of all surfaces. With --foreign, how many queries of the next seed's gallery are placed in each map, where none
belongs. Without open3d the scan is left out. Over all seeds, errors are compared query by query (geometric means) as
well: by night they are four times those by day, so that the median of both lies where there are few.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from error_curves import draw

import vloc
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

SIZE = 640, 480
PATCH, MISSING, REACH_M = 10, 0.1, 8.0
WAYS = {
    "triangulate": ("mapping", "triangulate", False),
    "depth": ("mapping", "depth", False),
    "hybrid": ("mapping", "hybrid", False),
    "scan": ("mapping", "scan", True),
    "hybrid, scan": ("mapping", "hybrid", True),
    "depth, noisy": ("noisy", "depth", False),
    "hybrid, noisy": ("noisy", "hybrid", False),
    "hybrid, queries' depth": ("mapping", "hybrid", False),
    "hybrid, queries' depth, noisy": ("noisy", "hybrid", False),
}
"""capture, --points, and whether there is a scan"""
REFINED = {"hybrid, queries' depth": "query", "hybrid, queries' depth, noisy": "noisy query"}
"""ways whose queries, of this capture, are refined by their own depth maps: --depth refine"""


def as_sensed(mapping: Path, target: Path, seed: int) -> None:
    """The capture with the depth that a sensor would have."""
    if target.exists():
        return
    shutil.copytree(mapping, target)
    rng, (width, height) = np.random.default_rng(seed), SIZE
    for path in sorted(target.rglob("*.depth")):
        depth = np.frombuffer(path.read_bytes(), "<f4").reshape(height, width).astype(np.float64)
        depth += rng.normal(size=depth.shape) * (0.0015 + 0.002 * depth**2)
        holes = rng.random((height // PATCH, width // PATCH)) < MISSING
        depth[np.kron(holes, np.ones((PATCH, PATCH), bool)) | (depth > REACH_M)] = 0
        path.write_bytes(depth.astype("<f4").tobytes())


def mapped(scene: Path, way: str) -> vloc.Map:
    """The map of a scene by one way; what ways share is made once."""
    capture, source, has_scan = WAYS[way]
    scan = scene / "scan.ply" if has_scan else None
    return vloc.build_map(
        f"kapture:{scene / capture}", scene / f"map of {capture}", points={"source": source}, scan=scan
    )


def errors(map_: vloc.Map, scene: Path, way: str) -> dict[str, tuple[float, float]]:
    """Metres and degrees of every query; infinite without a pose."""
    queries, depth = f"kapture:{scene / REFINED.get(way, 'query')}", {"use": "refine" if way in REFINED else "none"}
    truth = read_poses(scene / "query_truth.txt")
    shutil.rmtree(scene / "work", ignore_errors=True)
    return {
        each.name: _error(each, truth[each.name]) for each in vloc.localize(map_, queries, scene / "work", depth=depth)
    }


def _error(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> tuple[float, float]:
    if estimate.cam_from_world is None:
        return np.inf, np.inf
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return float(metres), float(np.degrees(radians))


def told(way: str, map_: vloc.Map, found: dict[str, tuple[float, float]]) -> str:
    """A line of figures."""
    table = np.array(list(found.values()))
    placed, day = np.isfinite(table[:, 0]), np.array([name.startswith("day") for name in found])
    by = {name: 100 * np.median(table[placed & chosen, 0]) for name, chosen in (("day", day), ("night", ~day))}
    return (
        f"{way}: {len(map_.sparse.points)} points, {placed.sum()} of {len(table)} placed, median "
        f"{100 * np.median(table[placed, 0]):.4f} cm {np.median(table[placed, 1]):.4f} deg (day {by['day']:.4f}, night "
        f"{by['night']:.4f}), mean {100 * table[placed, 0].mean():.4f}, worst {100 * table[placed, 0].max():.3f} cm"
    )


def over_all(metres: dict[str, list[float]], way: str) -> str:
    """A line of what a way's errors are over all seeds, and what part of the first ways', query by query."""
    own, others = np.array(metres[way]), [other for other in ("triangulate", "depth") if other in metres]
    line = f"{way}: median {100 * np.median(own):.4f} cm, mean {100 * own[np.isfinite(own)].mean():.4f}"
    for other in others:
        both = np.isfinite(own) & np.isfinite(metres[other])
        ratio = own[both] / np.array(metres[other])[both]
        spread = np.log(ratio).std() / np.sqrt(len(ratio))
        line += (
            f"; of {other}'s error {np.exp(np.log(ratio).mean()):.3f} +- {spread:.3f}, below {np.mean(ratio < 1):.0%}"
        )
    return line


def main() -> None:
    """Lines for every seed and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--foreign", action="store_true")
    flags, metres = parser.parse_args(), defaultdict[str, list[float]](list)
    scenes = {seed: flags.folder / f"depth{seed}" for seed in flags.seeds}
    for seed, scene in scenes.items():
        make(scene, GalleryConfig(90, 120, SIZE, with_depth=True, seed=seed))
        as_sensed(scene / "mapping", scene / "noisy", seed)
        as_sensed(scene / "query", scene / "noisy query", seed + 1000)
    for (seed, scene), other in zip(scenes.items(), [*flags.seeds[1:], flags.seeds[0]], strict=True):
        print(f"seed {seed}")
        for way in flags.ways:
            if WAYS[way][2] and find_spec("open3d") is None:
                continue
            map_ = mapped(scene, way)
            found = errors(map_, scene, way)
            metres[way] += [error for error, _ in found.values()]
            print(f"  {told(way, map_, found)}", flush=True)
            if flags.foreign:
                placed = sum(metres < np.inf for metres, _ in errors(map_, scenes[other], way).values())
                print(f"    queries of seed {other} placed: {placed}", flush=True)
    print("all seeds")
    for way in metres:
        print(f"  {over_all(metres, way)}")
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
