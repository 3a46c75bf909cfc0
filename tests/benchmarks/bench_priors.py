"""What gravity and positions by satellite are worth: galleries whose queries have an accelerometer and positions.

    python tests/benchmarks/bench_priors.py FOLDER --seeds 82 83 [--gravity-deg 1] [--gnss-m 1] [--plot FILE]

The galleries of `bench_paradigms.py`, 60 queries each. What is sensed has normal errors of these standard deviations,
either way and in each coordinate, and the priors know them. `foreign`: the queries in the map of the next seed, where
none belongs, every pose that COLMAP's `config2` would give (no confidence asked): how many there are. The plot: errors
of rotations by retrieval alone (`csi`), of all seeds, under each prior.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from bench_paradigms import error, told
from error_curves import draw

import vloc
from vloc.formats.results import read_poses
from vloc.geometry.motion import by_motion

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make
from tests.sensing import sensing

WAYS: dict[str, dict[str, Any]] = {
    "map": {},
    "csi": {"paradigm": "approximation", "approximate": {"weights": "csi"}},
    "bdi": {"paradigm": "approximation", "approximate": {"weights": "bdi"}},
}
FOREIGN = {"preset": "config2", "register": {"min_confidence": 0.0}}


def sensed(scene: Path, gravity_deg: float, gnss_m: float, seed: int) -> vloc.Capture:
    """The queries with what noisy sensors say of them."""
    rng, truth = np.random.default_rng(seed), read_poses(scene / "query_truth.txt")
    ups, centers = {}, {}
    for name, pose in truth.items():
        tilt = by_motion(np.append(np.radians(gravity_deg) * rng.normal(size=3), np.zeros(3)))
        ups[name] = tilt.rotation @ pose.rotation[:, 2]
        centers[name] = pose.center + gnss_m * rng.normal(size=3)
    return sensing(vloc.read(f"kapture:{scene / 'query'}"), ups, centers)


def main() -> None:
    """Lines for every gallery, way and prior."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--gravity-deg", type=float, default=1.0)
    parser.add_argument("--gnss-m", type=float, default=1.0)
    parser.add_argument("--plot", type=Path)
    flags = parser.parse_args()
    sigmas = {"gravity_deg": flags.gravity_deg, "gnss_m": flags.gnss_m}
    priors = {"none": {}, **{name: {name: sigma} for name, sigma in sigmas.items()}, "both": sigmas}
    scenes = [flags.folder / f"paradigms{seed}" for seed in flags.seeds]
    maps, by_retrieval = [], {name: list[float]() for name in priors}
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(90, 60, seed=seed))
        maps.append(vloc.build_map(f"kapture:{scene / 'mapping'}", scene.with_name(f"{scene.name}.map")))
    for seed, scene, map_, other in zip(flags.seeds, scenes, maps, [*maps[1:], maps[0]], strict=True):
        queries, truth = sensed(scene, flags.gravity_deg, flags.gnss_m, seed), read_poses(scene / "query_truth.txt")
        folder = scene.with_name(f"{scene.name} with priors")
        print(scene.name)
        for name, used in priors.items():
            for way, settings in WAYS.items():
                found = vloc.localize(map_, queries, folder, priors=used, **settings)
                table = np.array([[*error(each, truth[each.name]), 0.0] for each in found])
                print(f"  {name}, {told(way, table).rpartition(',')[0]}", flush=True)
                by_retrieval[name] += table[:, 1].tolist() if way == "csi" else []
            foreign = vloc.localize(other, queries, folder, priors=used, **FOREIGN)
            print(f"  {name}, foreign: {sum(each.is_localized for each in foreign)} of {len(foreign)}", flush=True)
    if flags.plot is not None:
        draw(flags.plot, by_retrieval, 1.0, "error of the rotation, degrees")


if __name__ == "__main__":
    main()
