"""Size against error: a gallery's map compressed by the cover of points, and by as many points at random.

    python tests/benchmarks/bench_compress.py FOLDER [--size IMAGES] [--seed SEED] [--shares 0.2 0.1 0.05 0.02]

The gallery is made, mapped and packed in FOLDER, which keeps it. For the folder's map, and for files of shares of the
packed file's size, prints how many queries have a pose and the medians of their errors (of all queries).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

import vloc
from vloc.compressing import Goal, compress
from vloc.config import MappingConfig, make_config
from vloc.formats.results import read_truth
from vloc.geometry.pose_error import pose_errors
from vloc.map import Map
from vloc.mapping import map_capture
from vloc.packing import pack
from vloc.run.workspace import Workspace
from vloc.solvers.point_cover import cover_order


def mapped(root: Path, size: int, seed: int) -> tuple[Path, Path]:
    """A gallery of that many images and its map; those that are there are kept."""
    gallery = import_module("vloc.datasets.synthetic_gallery")
    place = root / f"gallery-{size}-{seed}"
    gallery.make(place, gallery.GalleryConfig(num_images=size, num_queries=40, image_size=(320, 240), seed=seed))
    config = make_config(MappingConfig, extract="sift:max_keypoints=1000", pair={"num_pairs": 10})
    with Workspace(place / "map") as work:
        map_capture(work, vloc.read(place / "mapping"), config)
    return place, place / "map"


def at_random(groups: np.ndarray, starts: np.ndarray, weights: np.ndarray, num_groups: int) -> np.ndarray:
    """The points in any order."""
    return np.random.default_rng(0).permutation(len(weights))


def errors(place: Path, map_: Path) -> tuple[int, float, float]:
    """Queries with a pose, and the medians of all queries' errors, cm and degrees."""
    localizer, truth = vloc.Localizer(map_), read_truth(place / "query_truth.txt")
    queries, found = vloc.read(place / "query"), []
    for name in queries.images.names:
        image = queries.files.root / name
        pose = localizer.localize(image, queries.camera(name)).cam_from_world
        found.append((np.inf, np.inf) if pose is None else pose_errors(pose, truth[name]))
    metres, radians = np.array(found, float).T
    return int(np.isfinite(metres).sum()), 100 * float(np.median(metres)), float(np.degrees(np.median(radians)))


def tell(name: str, path: Path, figures: tuple[int, float, float], seconds: float = 0.0) -> None:
    """One line of the table."""
    count, centimetres, degrees = figures
    num_bytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) or path.stat().st_size
    told = f"{name:<16}{num_bytes / 1e6:>8.2f} MB {count:>4} with a pose {centimetres:>8.4f} cm {degrees:>8.5f} deg"
    print(f"{told} {seconds:>6.1f} s", flush=True)


def main() -> None:
    """Make, compress, localize."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.2, 0.1, 0.05, 0.02])
    flags = parser.parse_args()
    place, folder = mapped(flags.folder, flags.size, flags.seed)
    whole, packed = Map.open(folder), place / "map.vloc"
    pack(whole, packed)
    tell("folder", folder, errors(place, folder))
    tell("packed", packed, errors(place, packed))
    orders: dict[str, Callable[..., np.ndarray]] = {"cover": cover_order, "random": at_random}
    for share in flags.shares:
        for name, order in orders.items():
            smaller, began = place / f"{name}-{share}.vloc", time.perf_counter()
            compress(whole, smaller, Goal(num_bytes=int(share * packed.stat().st_size)), order=order, tried=1)
            tell(f"{name} {share:g}", smaller, errors(place, smaller), time.perf_counter() - began)


if __name__ == "__main__":
    main()
