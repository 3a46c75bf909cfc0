"""A hard night: the galleries' night with a quarter of its light and twice its noise, by local feature and retrieval.

    VLOC_WEIGHTS=FOLDER python tests/benchmarks/bench_night.py FOLDER extract=sift extract=aliked --seeds 51 52

Every other query of a gallery is taken at night; only those count. A configuration is what `vloc.build_map` takes, as
`STAGE=WRITTEN FORM`, several stages joined by `+`, several descriptors by `/`: `extract=aliked+describe=densevlad/gem`.
A refused pose is none; `shown` is the share of queries that have an image of their place, taken within 4 m and 40
degrees, among the retrieved.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from bench_folds import parse

import vloc
from vloc.data.splitting import in_folder, part_of
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets import gallery_light
from datasets.synthetic_gallery import GalleryConfig, make

NEAR_M, NEAR_DEG = 4.0, 40.0
LIGHT, NOISE = 0.25, 2.0
"""of a hard night, in those of the galleries' own"""


def darken() -> None:
    """Make the nights of galleries that are drawn from now on hard ones."""
    gallery_light.NIGHT_GAIN = tuple(LIGHT * gain for gain in gallery_light.NIGHT_GAIN)  # type: ignore[assignment]
    gallery_light.SHOT_NOISE *= NOISE
    gallery_light.READ_NOISE *= NOISE


def errors(scene: Path, configuration: str) -> np.ndarray:
    """(metres, degrees, whether a place was shown) of every query at night."""
    mapping, localization, _ = parse(configuration.split("+"))
    if "describe" in mapping:
        mapping["describe"] = mapping["describe"].split("/")
    queries = vloc.read(f"kapture:{scene / 'query'}")
    queries = part_of(queries, in_folder(queries, "night"))
    map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "night.map", **mapping)
    found = vloc.localize(map_, queries, scene / "night.poses", **localization)
    truth = read_poses(scene / "query_truth.txt")
    return np.array([[*error(each, truth[each.name]), shown(map_, each, truth[each.name])] for each in found])


def error(estimate: vloc.PoseEstimate, truth: Rigid) -> tuple[float, float]:
    """Metres and degrees, infinite without a pose."""
    if estimate.cam_from_world is None:
        return np.inf, np.inf
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return float(metres), float(np.degrees(radians))


def shown(map_: vloc.Map, estimate: vloc.PoseEstimate, truth: Rigid) -> bool:
    """Whether one of the retrieved images was taken near the truth."""
    rows = [map_.sparse.row_of[name] for name in estimate.retrieved]
    away = (pose_errors(map_.sparse.cam_from_world[row], truth) for row in rows)
    return any(metres < NEAR_M and np.degrees(radians) < NEAR_DEG for metres, radians in away)


def main() -> None:
    """A line for each configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("configurations", nargs="+")
    flags = parser.parse_args()
    scenes = [flags.folder / f"night{seed}" for seed in flags.seeds]
    darken()
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(flags.images, flags.queries, seed=seed))
    for configuration in flags.configurations:
        metres, degrees, place = np.concatenate([errors(scene, configuration) for scene in scenes]).T
        recall = [100 * np.mean((metres <= t) & (degrees <= r)) for t, r in ((0.25, 2), (0.5, 5), (5, 10))]
        median = np.median(metres[np.isfinite(metres)]) if np.isfinite(metres).any() else np.inf
        print(
            f"{configuration} ({len(metres)}): {' / '.join(f'{r:.0f}' for r in recall)} %, median of those with a pose "
            f"{100 * median:.2f} cm, shown {100 * place.mean():.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
