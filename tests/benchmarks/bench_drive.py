"""Rigs on the synthetic drive: three cameras, 60 instants, 30 % of the photos blind, half of them by night.

    python tests/benchmarks/bench_drive.py FOLDER --seeds 82 83 [--ways none transfer joint] [--plot FILE] [--foreign]

A gallery of 90 images at 640 x 480 makes each map. Instants count as placed where any of their photos is. Errors are
those of the photos that each way places, and, to compare, of each camera's photos that have a pose of their own.
With --foreign, how many photos of each drive are placed in the map of the next seed, where none belongs.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import vloc
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets import synthetic_drive
from datasets.synthetic_gallery import GalleryConfig, make

LIMITS = ((0.25, 2.0), (5.0, 10.0))


def errors(scene: Path, way: str) -> dict[str, tuple[float, float]]:
    """Metres and degrees of every photo; infinite without a pose."""
    map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
    found = vloc.localize(map_, f"kapture:{scene / 'drive'}", scene / "poses", rig={"use": way})
    truth = read_poses(scene / "drive_truth.txt")
    return {each.name: _error(each, truth[each.name]) for each in found}


def placed_elsewhere(scene: Path, other: Path, way: str) -> int:
    """How many photos of a drive get a pose in the map of another gallery."""
    map_ = vloc.Map.open(other / "map")
    found = vloc.localize(map_, f"kapture:{scene / 'drive'}", scene / f"poses in {other.name}", rig={"use": way})
    return sum(each.is_localized for each in found)


def _error(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> tuple[float, float]:
    if estimate.cam_from_world is None:
        return np.inf, np.inf
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return float(metres), float(np.degrees(radians))


def told(way: str, found: dict[str, tuple[float, float]]) -> str:
    """A line of figures."""
    table = np.array(list(found.values()))
    placed = table[np.isfinite(table[:, 0])]
    instants = {name[name.index("/") :] for name, (metres, _) in found.items() if np.isfinite(metres)}
    recall = [100 * ((table[:, 0] <= metres) & (table[:, 1] <= degrees)).mean() for metres, degrees in LIMITS]
    return (
        f"{way}: {len(placed)} of {len(table)} photos, {len(instants)} of {len(table) // 3} instants, "
        f"recall {' / '.join(f'{share:.1f}' for share in recall)} %, median {100 * np.median(placed[:, 0]):.4f} cm "
        f"{np.median(placed[:, 1]):.4f} deg, worst {100 * placed[:, 0].max():.3f} cm"
    )


def by_camera(found: dict[str, tuple[float, float]]) -> str:
    """The median of each camera's photos that have a pose, cm."""
    names = sorted({name.partition("/")[0] for name in found})
    metres = {n: [m for name, (m, _) in found.items() if name.startswith(f"{n}/") and np.isfinite(m)] for n in names}
    return ", ".join(f"{name} {100 * np.median(metres[name]):.4f} cm" for name in names)


def draw(path: Path, metres: dict[str, list[float]]) -> None:
    """How large a part of the photos each way places within how many centimetres."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for way, found in metres.items():
        placed = 100 * np.sort(found)
        axes.step(placed, 100 * np.arange(1, len(placed) + 1) / len(placed), where="post", label=f"--rig {way}")
    axes.set(xscale="log", xlabel="error of the camera's centre, cm", ylabel="photos, %", ylim=(0, 100))
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path)


def main() -> None:
    """Lines for every seed and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--ways", nargs="+", default=["none", "transfer", "joint"])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--foreign", action="store_true")
    flags, metres = parser.parse_args(), defaultdict[str, list[float]](list)
    for seed in flags.seeds:
        scene, gallery = flags.folder / f"drive{seed}", GalleryConfig(90, 4, seed=seed)
        make(scene, gallery)
        synthetic_drive.make(scene, gallery)
        print(f"seed {seed}")
        for way in flags.ways:
            found = errors(scene, way)
            metres[way] += [error for error, _ in found.values()]
            print(f"  {told(way, found)}", flush=True)
            if way == "none":
                print(f"  one camera: {by_camera(found)}", flush=True)
    scenes = [flags.folder / f"drive{seed}" for seed in flags.seeds]
    for scene, other in zip(scenes, [*scenes[1:], scenes[0]], strict=True) if flags.foreign else ():
        counts = ", ".join(f"{way} {placed_elsewhere(scene, other, way)}" for way in flags.ways)
        print(f"{scene.name} in the map of {other.name}: {counts}", flush=True)
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
