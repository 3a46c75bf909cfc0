"""What refining poses on matches near where points project brings, and costs: the same queries with it and without.

    python tests/benchmarks/bench_refine.py OUT --galleries 85 86 [--plot FILE] [--scenes DATA/strecha/fountain-P11 ...]

Galleries: 90 map images, 60 queries, every other one at night. Scenes: as in `bench_folds.py`. Without: the pose of the
matches that registration used. All: that of all keypoints matched with all retrieved images (`correspond.strongest=0`).
Milliseconds are CPU time of a query's refinement in memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from bench_guided import all_folds
from error_curves import draw

import vloc
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.runtime import one_blas_thread

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

Row = tuple[str, float, float, float, float, float]
"""condition; cm without, with, and of all matches; inliers with / without; CPU ms"""
WAYS = ("registered", "refined", "everything matched")


def rows_of(map_: vloc.Map, queries: vloc.Capture, root: Path, truth: dict[str, vloc.Rigid]) -> Iterator[Row]:
    """A row for every query that is placed by all three ways."""
    localizer = vloc.Localizer(map_)
    everything = vloc.Localizer(map_, correspond={"strongest": 0}, refine={"radius_px": 0.0})
    place, off = localizer.placer, vloc.Localizer(map_, refine={"radius_px": 0.0}).placer
    for name in queries.images.names:
        with one_blas_thread:
            query = place.searched(place.look(root / name, queries.camera(name), name))
            began = time.process_time()
            without = off.place(query)
            between = time.process_time()
            refined = place.place(query)
            milliseconds = 1000 * (time.process_time() - between - (between - began))
        found = [without, refined, everything.localize(root / name, queries.camera(name))]
        poses = [each.cam_from_world for each in found if each.cam_from_world is not None]
        if len(poses) == len(found):
            errors = [100 * float(pose_errors(pose, truth[name])[0]) for pose in poses]
            share = max(refined.num_guided, refined.num_inliers) / without.num_inliers
            yield (name.partition("/")[0], errors[0], errors[1], errors[2], share, milliseconds)


def gallery(folder: Path, seed: int) -> Iterator[Row]:
    """Of a gallery's queries, by day and by night."""
    scene = folder / f"gallery{seed}"
    make(scene, GalleryConfig(90, 60, seed=seed))
    map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
    queries = vloc.read(f"kapture:{scene / 'query'}")
    truth = read_poses(scene / "query_truth.txt")
    yield from rows_of(map_, queries, scene / "query" / "sensors" / "records_data", truth)


def scene(path: Path) -> Iterator[Row]:
    """Of a real scene, each image once a query."""
    options = {"pixel_center": 0.0} if "virtual_gallery" in str(path) else {}
    for fold in all_folds(path, **options):
        with tempfile.TemporaryDirectory() as folder:
            map_ = vloc.build_map(fold.mapping, f"{folder}/map")
            for name in fold.query.images.names:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(fold.query.files.read(name))
            for row in rows_of(map_, fold.query, Path(folder), dict(fold.truth)):
                yield (path.name, *row[1:])


def told(condition: str, rows: list[Row]) -> str:
    """A line of medians."""
    without, refined, everything, share, milliseconds = np.median([row[1:] for row in rows], axis=0)
    return (
        f"{condition} ({len(rows)}): without {without:.4f} cm, with {refined:.4f} "
        f"cm ({100 * (refined / without - 1):+.0f} %), "
        f"all matched {everything:.4f} cm ({100 * (refined / everything - 1):+.0f} %); inliers x {share:.2f}; "
        f"{milliseconds:.0f} ms"
    )


def main() -> None:
    """A line for every gallery and condition, and for every scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--galleries", type=int, nargs="*", default=[])
    parser.add_argument("--scenes", type=Path, nargs="*", default=[])
    parser.add_argument("--plot", type=Path)
    flags, metres = parser.parse_args(), {way: list[float]() for way in WAYS}
    for seed in flags.galleries:
        rows = list(gallery(flags.out, seed))
        for row in rows:
            for way, error in zip(WAYS, row[1:4], strict=True):
                metres[way].append(error / 100)
        for condition in sorted({row[0] for row in rows}):
            print(told(f"gallery {seed}, {condition}", [row for row in rows if row[0] == condition]), flush=True)
    for path in flags.scenes:
        print(told(path.name, list(scene(path))), flush=True)
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
