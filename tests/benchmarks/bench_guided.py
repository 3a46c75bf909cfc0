"""Poses with everything matched against those of the defaults, on the same maps, each image of a scene once a query.

    python tests/benchmarks/bench_guided.py DATA/strecha/fountain-P11 [pixel_center=0]

Folds are those of `bench_folds.py`; without `gt_poses.txt`, the mapping and query captures know their poses.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench_folds import Fold, folds

import vloc
from vloc.formats.results import posed_images, write_poses

EVERYTHING: dict[str, Any] = {"correspond": {"strongest": 0}, "refine": {"radius_px": 0}}


def all_folds(scene: Path, **options: Any) -> Iterator[Fold]:
    """The folds of a scene with the poses of all its images."""
    if (scene / "gt_poses.txt").exists():
        yield from folds(scene, **options)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy, poses = Path(folder) / scene.name, {}
        copy.mkdir()
        for part in ("mapping", "query"):
            (copy / part).symlink_to((scene / part).resolve())
            poses |= posed_images(vloc.read(f"kapture:{scene / part}", **options))
        write_poses(copy / "gt_poses.txt", poses)
        yield from folds(copy, **options)


def errors(map_: vloc.Map, fold: Fold, folder: str, settings: dict[str, Any]) -> np.ndarray:
    """Errors, cm, of a fold's queries by name; infinite without a pose."""
    estimates = vloc.localize(map_, fold.query, folder, **settings)
    found = {e.name: e.cam_from_world for e in estimates if e.cam_from_world is not None}
    evaluation = vloc.evaluate(found, fold.truth)
    return 100 * evaluation.translation_m[np.argsort(evaluation.names)]


def main() -> None:
    """Print one line."""
    scene = Path(sys.argv[1])
    options = {name: float(value) for name, _, value in (word.partition("=") for word in sys.argv[2:])}
    rows = []
    for fold in all_folds(scene, **options):
        with tempfile.TemporaryDirectory() as folder:
            map_ = vloc.build_map(fold.mapping, f"{folder}/map")
            both = [errors(map_, fold, f"{folder}/{i}", settings) for i, settings in enumerate((EVERYTHING, {}))]
            rows += np.transpose(both).tolist()
    full, fast = np.transpose([row for row in rows if np.isfinite(row).all()])
    logs = np.log(fast / full)
    print(
        f"{scene.name} ({len(full)} of {len(rows)}): median {np.median(full):.4f} -> {np.median(fast):.4f} cm, "
        f"mean {full.mean():.4f} -> {fast.mean():.4f} cm, worst {full.max():.2f} -> {fast.max():.2f} cm; "
        f"ratio {np.exp(logs.mean()):.3f} +- {logs.std() / len(logs) ** 0.5:.3f}"
    )


if __name__ == "__main__":
    main()
