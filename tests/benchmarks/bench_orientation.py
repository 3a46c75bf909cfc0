"""What 3D-3D orientation places that photos alone do not: bad queries with depth maps, on synthetic galleries.

    python tests/benchmarks/bench_orientation.py FOLDER --seeds 75 76 [--agreement]

Galleries of 90 images at 640 x 480; maps by `--points hybrid`; 60 queries by a hard night (`bench_night.py`) and 60 by
day that are degraded (`bench_confidence.py`). Depth of map and queries is exact, or as a sensor has it
(`bench_depth.py`). For --depth none, refine and orient: how many queries get a pose, how many of these are right (0.5
m, 5 degrees), the median error of these and how many are inside their 95 % ellipsoids, the same of those by
orientation, what a query's error is of that by none (geometric mean and its standard error), and how many queries of
the next seed's gallery get a pose. `agree in depth`: of the poses that photos alone give the next seed's queries, with
six inliers or more that have depth and whatever their confidence, for how many 80 % of these agree in depth; and of
right poses (--agreement; that alone).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_depth import as_sensed
from bench_night import darken
from bench_paradigms import CHI2_95, error
from bench_upright_pose import Pictures

import vloc
from vloc.data.capture import Capture
from vloc.data.splitting import in_folder, part_of
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.geometry.depth import planes_at
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.projection import unproject
from vloc.points import depth_maps
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.depth_pose import Surface
from vloc.solvers.orientation import DeepMatches
from vloc.solvers.orientation_acceptance import AGREE_IN_DEPTH, LEAST_DEEP, share_of_depth
from vloc.solvers.pnp import PnpConfig
from vloc.stages.images import Photos

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

RIGHT_M, RIGHT_DEG = 0.5, 5.0
CAPTURES = {"exact": ("mapping", "query"), "sensor": ("noisy", "noisy query")}
USES = ("none", "refine", "orient")


def asked(scene: Path, query: str, kind: str) -> Capture:
    """The queries by night, or those by day degraded."""
    capture = vloc.read(f"kapture:{scene / query}")
    part = part_of(capture, in_folder(capture, "night" if kind == "night" else "day"))
    return part if kind == "night" else replace(part, files=Pictures(part, "degraded"))


def told(poses: list[vloc.PoseEstimate], truth: dict[str, vloc.Rigid]) -> str:
    """A line of figures."""
    table = np.array([error(each, truth[each.name]) for each in poses])
    metres, degrees, distances = table.T
    by_depth = np.array([each.source == "depth" for each in poses])
    right = (metres < RIGHT_M) & (degrees < RIGHT_DEG)
    line = (
        f"{np.isfinite(metres).sum()} of {len(poses)} placed, {right.sum()} right, median "
        f"{100 * np.median(metres[right]):.3f} cm, {(distances[right] < CHI2_95).sum()} inside"
    )
    if by_depth.any():
        inside = (distances[by_depth] < CHI2_95).sum()
        line += (
            f"; by orientation {by_depth.sum()}, {(right & by_depth).sum()} right, median "
            f"{100 * np.median(metres[by_depth]):.3f} cm, worst {100 * metres[by_depth].max():.1f}, {inside} inside"
        )
    return line


def against(poses: list[vloc.PoseEstimate], before: list[vloc.PoseEstimate], truth: dict[str, vloc.Rigid]) -> str:
    """What the errors of queries with a pose before are of those then."""
    both = np.array([[error(each, truth[each.name])[0] for each in way] for way in (poses, before)])
    ratios = -np.diff(np.log(both[:, np.isfinite(both).all(axis=0)]), axis=0)[0]
    mean = np.exp(ratios.mean())
    return f"{mean:.3f} +- {mean * ratios.std() / len(ratios) ** 0.5:.3f} of the errors by none"


def alone(map_: vloc.Map, queries: Capture) -> Iterator[tuple[str, vloc.Rigid, float]]:
    """The pose that a photo's own matches with depth give, and the part of its inliers that lie on their surfaces."""
    placer, depths = vloc.Localizer(map_).placer, depth_maps(Photos(queries, lambda *_: "", map_.config.look))
    for name in queries.images.names:
        sensor = queries.sensor(name)
        assert queries.files is not None and sensor.camera is not None
        pixels = decode(queries.files.read(name), name, color=False)
        query = placer.searched(placer.look(pixels, sensor.camera, name))
        rays = unproject(sensor.camera, query.features.keypoints.astype(np.float64))
        planes = planes_at(depths[name].values, depths[name].camera, rays, 0.002)
        keypoints, points = query.matches.keypoints, query.matches.points
        seen = query.features.keypoints[keypoints].astype(np.float64), map_.sparse.points[points]
        surface = Surface(seen[1], map_.sparse.covariances_of(points.astype(np.int64)), planes[keypoints])
        deep = DeepMatches.of(seen[0], surface, sensor.camera)
        found = absolute_pose(*seen, sensor.camera, PnpConfig(min_inliers=LEAST_DEEP))
        if found.cam_from_world is not None and (found.inliers & deep.has_depth).sum() >= LEAST_DEEP:
            yield name, found.cam_from_world, share_of_depth(deep, found)


def in_depth(map_: vloc.Map, query: str, own: Path, other: Path) -> str:
    """How often the poses of photos agree in depth, of wrong ones and of right ones."""
    wrong = [share for *_, share in alone(map_, vloc.read(f"kapture:{other / query}"))]
    truth, right = read_poses(own / "query_truth.txt"), []
    for name, pose, share in alone(map_, vloc.read(f"kapture:{own / query}")):
        metres, radians = pose_errors(pose, truth[name])
        if metres < RIGHT_M and np.degrees(radians) < RIGHT_DEG:
            right.append(share)
    counts = [f"{sum(share >= AGREE_IN_DEPTH for share in shares)} of {len(shares)}" for shares in (wrong, right)]
    return f"agree in depth: {counts[0]} wrong, {counts[1]} right"


def main() -> None:
    """Lines for every gallery, depth, kind of queries and use of depth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--agreement", action="store_true")
    flags = parser.parse_args()
    darken()
    scenes = [flags.folder / f"night{seed}" for seed in flags.seeds]
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(90, 120, seed=seed, with_depth=True))
        as_sensed(scene / "mapping", scene / "noisy", seed)
        as_sensed(scene / "query", scene / "noisy query", seed + 1000)
    for scene, other in zip(scenes, [*scenes[1:], scenes[0]], strict=True):
        truth = read_poses(scene / "query_truth.txt")
        for depth, (mapping, query) in CAPTURES.items():
            map_ = vloc.build_map(f"kapture:{scene / mapping}", scene / f"{depth}.map", points={"source": "hybrid"})
            print(f"{scene.name}, {depth} depth", flush=True)
            if flags.agreement:
                print(f"  {in_depth(map_, query, scene, other)}", flush=True)
                continue
            foreign, cases, plain = vloc.read(f"kapture:{other / query}"), ("night", "degraded"), {}
            for use in USES:
                for kind in cases:
                    at = scene / f"{depth} {kind}"
                    poses = vloc.localize(map_, asked(scene, query, kind), at, depth={"use": use})
                    plain.setdefault(kind, poses)
                    print(f"  {kind}, {use}: {told(poses, truth)}; {against(poses, plain[kind], truth)}", flush=True)
                placed = vloc.localize(map_, foreign, scene / f"{depth} foreign", depth={"use": use})
                print(f"  foreign, {use}: {sum(each.is_localized for each in placed)} of {len(placed)}", flush=True)


if __name__ == "__main__":
    main()
