"""COLMAP's presets and vloc's own settings on the queries of galleries: median, number placed, a picture of the errors.

    python tests/benchmarks/bench_presets.py FOLDER --seeds 82 83 [--plot FILE]

The galleries of `bench_paradigms.py`, 60 queries each. `as COLMAP`: config2 without what COLMAP has no counterpart of,
a confidence to reach and further matches near projections.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from bench_paradigms import error
from error_curves import draw

import vloc
from vloc.formats.results import read_poses

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

BARE = {"register": {"min_confidence": 0.0}, "refine": {"radius_px": 0.0}}
WAYS: dict[str, dict[str, Any]] = {
    "vloc": {},
    "config1": {"preset": "config1"},
    "config2": {"preset": "config2"},
    "config3": {"preset": "config3"},
    "config2, as COLMAP": {"preset": "config2", **BARE},
}


def main() -> None:
    """A line for every way, over all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--plot", type=Path)
    flags = parser.parse_args()
    metres = {way: list[float]() for way in WAYS}
    for scene in (flags.folder / f"paradigms{seed}" for seed in flags.seeds):
        make(scene, GalleryConfig(90, 60, seed=int(scene.name.removeprefix("paradigms"))))
        map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene.with_name(f"{scene.name}.map"))
        truth = read_poses(scene / "query_truth.txt")
        for way, settings in WAYS.items():
            found = vloc.localize(
                map_, f"kapture:{scene / 'query'}", scene.with_name(f"{scene.name} presets"), **settings
            )
            metres[way] += [error(each, truth[each.name])[0] for each in found]
    for way, errors in metres.items():
        placed = int(np.isfinite(errors).sum())
        print(f"{way}: {placed} of {len(errors)} placed, median {100 * float(np.median(errors)):.4f} cm")
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
