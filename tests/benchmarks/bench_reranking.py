"""What each re-ranking gives on synthetic galleries: near images among the first, before and after.

    python tests/benchmarks/bench_reranking.py FOLDER densevlad densevlad/vlad --seeds 71 72 --hard \\
        --rerank none alpha_qe dba+alpha_qe k_reciprocal diffusion diverse geometric

Descriptors that are fused are joined by `/`, re-rankings that go over each other by `+`. An image shows a query's place
if it was taken within 4 m and 40 degrees. Of the queries by day and at night: percent with such an image first, and
among the first five and twenty; the share of the first five and twenty that are such images, of as many as there could
be; how many viewpoints (1 m, 30 degrees) are among the first five; and milliseconds of CPU a query, what is made of the
map included. With `--hard`, nights as in bench_night.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from bench_night import GalleryConfig, darken, make

import vloc
from vloc.config import LocalizationConfig, make_config
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.looking import describe, retrieve
from vloc.map import Map
from vloc.run.workspace import Workspace
from vloc.stages.evaluate_retrieval import evaluate_retrieval
from vloc.stages.extract import EXTRACT
from vloc.stages.images import Photos
from vloc.stages.imported import local_items

NEAR = (4.0, 40.0)
KS = (1, 5, 20)
VIEWPOINT = (1.0, 30.0)


def retrieved(map_: Map, folder: Path, queries: vloc.Capture, chosen: str) -> tuple[dict[str, list[str]], float]:
    """The images of every query, and seconds of CPU for all once they are described."""
    reranking = [] if chosen == "none" else chosen.split("+")
    config, names = make_config(LocalizationConfig, reranking=reranking), queries.images.names
    with Workspace(folder) as work:
        photos, feature = Photos(queries, work.content_hash, map_.config.look), map_.config.extract
        features = work.each(EXTRACT, local_items(photos, names, feature), feature)
        described = describe(work, map_, photos, names)
        began = time.process_time()
        rows, _ = retrieve(work, map_, described, features, {name: queries.sensor(name) for name in names}, config)
        seconds = time.process_time() - began
    return {name: [map_.sparse.image_names[row] for row in found] for name, found in rows.items()}, seconds


def viewpoints(ranked: Mapping[str, list[str]], map_: Map) -> dict[str, int]:
    """How many of the first five images of every query repeat no earlier one."""
    found = {}
    for name, images in ranked.items():
        poses = map_.sparse.cam_from_world[[map_.sparse.row_of[image] for image in images[:5]]]
        kept = [0]
        for row in range(1, len(poses)):
            metres, radians = pose_errors(poses[kept], poses[row])
            if not np.any((metres <= VIEWPOINT[0]) & (np.degrees(radians) <= VIEWPOINT[1])):
                kept.append(row)
        found[name] = len(kept)
    return found


def measured(scene: Path, words: str, rerankings: list[str]) -> dict[str, dict[str, np.ndarray]]:
    """For every re-ranking and light, a row of figures for each query."""
    settings = {"describe": words.split("/"), "pair": {"method": "distance", "num_pairs": 10}}
    map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "reranking.map", **settings)
    queries, truth = vloc.read(f"kapture:{scene / 'query'}"), read_poses(scene / "query_truth.txt")
    placed = {name: map_.sparse.cam_from_world[row] for row, name in enumerate(map_.sparse.image_names)}
    found = {}
    for chosen in rerankings:
        ranked, seconds = retrieved(map_, scene / "reranking.work", queries, chosen)
        told, views = evaluate_retrieval(ranked, truth, placed, [NEAR], KS), viewpoints(ranked, map_)
        rows = [row for row in range(len(told.names)) if told.num_near[row, 0]]
        figures = {
            told.names[row]: [
                *told.recall(0, [row]), *told.share(0, [row])[1:], views[told.names[row]], 1000 * seconds / len(ranked)
            ]
            for row in rows
        }  # fmt: skip
        found[chosen] = {
            light: np.array([figure for name, figure in figures.items() if name.startswith(light)])
            for light in ("day", "night")
        }
    return found


def main() -> None:
    """A line for each choice of descriptors, re-ranking and light, over all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("descriptors", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--rerank", nargs="+", default=["none"])
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--hard", action="store_true")
    flags = parser.parse_args()
    if flags.hard:
        darken()
    scenes = [flags.folder / f"gallery{seed}" for seed in flags.seeds]
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(flags.images, flags.queries, (320, 240), seed=seed))
    for words in flags.descriptors:
        found = [measured(scene, words, flags.rerank) for scene in scenes]
        for chosen in flags.rerank:
            for light in ("day", "night"):
                rows = np.concatenate([each[chosen][light] for each in found])
                recall = " / ".join(f"{figure:.0f}" for figure in rows.mean(0)[:3])
                shares, (views, milliseconds) = rows.mean(0)[3:5], rows.mean(0)[5:]
                print(
                    f"{words}, {chosen}, {light} ({len(rows)}): {recall} %, share {shares[0]:.1f} / {shares[1]:.1f} %, "
                    f"{views:.2f} viewpoints, {milliseconds:.1f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
