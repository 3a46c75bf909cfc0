"""Queries placed by the map, by local SfM, by the poses of retrieved images alone, and by presets of COLMAP's settings.

    python tests/benchmarks/bench_paradigms.py FOLDER --seeds 82 83 [--ways map local-sfm ewb] [--plot FILE] [--foreign]
    python tests/benchmarks/bench_paradigms.py FOLDER --photos MAPPING QUERY TRUTH [--pixel-center 0]

A gallery of 90 images at 640 x 480 makes each map; 60 queries, every other one at night. Errors of queries without a
pose are infinite. `inside`: part of the poses whose error is in the ellipsoid that their covariance says holds 95 %.
`s`: CPU seconds a query, without the map's. With --foreign, how many queries get a pose in the map of the next gallery,
where none belongs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from error_curves import draw

import vloc
from vloc.formats.results import read_truth
from vloc.geometry.motion import motion_of
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

LIMITS = ((0.25, 2.0), (0.5, 5.0), (5.0, 10.0))
CHI2_95 = 12.59
"""of six degrees of freedom"""
WAYS: dict[str, dict[str, Any]] = {
    "map": {},
    "local-sfm": {"paradigm": "local-sfm"},
    **{name: {"paradigm": "approximation", "approximate": {"weights": name}} for name in ("ewb", "bdi", "csi")},
    **{name: {"preset": name} for name in ("config1", "config2", "config3")},
}


def errors(map_: vloc.Map, queries: vloc.Capture, truth: dict[str, vloc.Rigid], folder: Path, way: str) -> np.ndarray:
    """(metres, degrees, squared Mahalanobis distance, CPU seconds) of every query, infinite without a pose."""
    shutil.rmtree(folder, ignore_errors=True)
    start = time.process_time()
    found = vloc.localize(map_, queries, folder, **WAYS[way])
    seconds = (time.process_time() - start) / len(found)
    return np.array([[*error(each, truth[each.name]), seconds] for each in found])


def placed_elsewhere(folder: Path, query: str, other: str, way: str) -> int:
    """How many queries get a pose in another map."""
    found = vloc.localize(vloc.Map.open(folder / f"{other}.map"), query, folder / f"in {other} by {way}", **WAYS[way])
    return sum(each.is_localized for each in found)


def error(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> tuple[float, float, float]:
    """Metres, degrees, and the squared error relative to the covariance; infinite without a pose."""
    if estimate.cam_from_world is None or estimate.covariance is None:
        return np.inf, np.inf, np.inf
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    motion = motion_of(truth @ estimate.cam_from_world.inverse())
    return float(metres), float(np.degrees(radians)), float(motion @ np.linalg.solve(estimate.covariance, motion))


def told(way: str, table: np.ndarray) -> str:
    """A line of figures."""
    metres, degrees, distances, seconds = table.T
    placed = np.isfinite(metres)
    recall = " / ".join(f"{100 * ((metres <= m) & (degrees <= d)).mean():.1f}" for m, d in LIMITS)
    inside = 100 * (distances[placed] <= CHI2_95).mean() if placed.any() else np.nan
    return (
        f"{way}: {placed.sum()} of {len(table)}, recall {recall} %, median {100 * np.median(metres):.3f} cm "
        f"{np.median(degrees):.4f} deg, inside {inside:.0f} %, {seconds[0]:.3f} s"
    )


def scenes(flags: argparse.Namespace) -> list[tuple[str, str, str, Path, float | None]]:
    """(name, mapping, queries, truth, pixel centre) of what is asked for; galleries are made."""
    if flags.photos:
        mapping, query, truth = flags.photos
        return [(Path(mapping).parent.name, mapping, query, truth, flags.pixel_center)]
    made = []
    for seed in flags.seeds:
        scene = flags.folder / f"paradigms{seed}"
        make(scene, GalleryConfig(90, 60, seed=seed))
        made.append((scene.name, str(scene / "mapping"), str(scene / "query"), scene / "query_truth.txt", None))
    return made


def main() -> None:
    """Lines for every scene and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[])
    parser.add_argument("--photos", nargs=3)
    parser.add_argument("--pixel-center", type=float)
    parser.add_argument("--ways", nargs="+", default=list(WAYS)[:5])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--foreign", action="store_true")
    flags, metres = parser.parse_args(), dict[str, list[float]]()
    found = scenes(flags)
    for name, mapping, query, truth, pixel_center in found:
        given = {} if pixel_center is None else {"pixel_center": pixel_center}
        map_ = vloc.build_map(vloc.read(mapping, **given), flags.folder / f"{name}.map")
        queries, true = vloc.read(query, **given), read_truth(truth)
        print(name)
        for way in flags.ways:
            table = errors(map_, queries, true, flags.folder / f"{name} by {way}", way)
            metres.setdefault(way, []).extend(table[:, 0])
            print(f"  {told(way, table)}", flush=True)
    for (name, _, query, *_), (other, *_) in zip(found, [*found[1:], found[0]], strict=True) if flags.foreign else ():
        counts = ", ".join(f"{way} {placed_elsewhere(flags.folder, query, other, way)}" for way in flags.ways)
        print(f"{name} in the map of {other}: {counts}", flush=True)
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
