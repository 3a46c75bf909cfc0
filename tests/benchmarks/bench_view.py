"""Poses held against what they would see: right ones, right ones moved, and those that photos from elsewhere get.

    python tests/benchmarks/bench_view.py FOLDER --seeds 91 92 [--scans mesh cloud points] [--hard-night]
    python tests/benchmarks/bench_view.py FOLDER --scenes DATA/strecha/fountain-P11 DATA/strecha/Herz-Jesus-P8

A gallery of 90 images at 640 x 480, 120 queries, every other one at night. `right`: the poses that vloc finds. Each is
moved in a random direction, or turned about a random axis, by so much. `mirrored`: the queries mirrored, `foreign`:
those of the next seed's gallery; both get every pose that COLMAP's `config2` would give, no confidence asked, and none
is right. `unsure`: the queries' own poses of a confidence below 0.5, and how many of those that the view leaves and of
those that it refuses are within (0.25 m, 2 deg). A pose is `refused` at the usual settings; `auc`: how often a right
pose's similarity is above such a one's. CPU: of the whole stage, each query's.

The scan is the gallery's mesh; a cloud of it, 400 points a square metre, each off by 5 mm (standard deviation); or the
map's own points that three images show, as for photographed scenes. --at: refusals at other thresholds. --picture FILE:
a photo, what its pose would see, and how alike they are. --hard-night, in a folder of its own: a quarter of the night's
light, twice its noise.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import vloc
from vloc.config import LocalizationConfig
from vloc.data.view import ViewConfig, ViewSimilarity
from vloc.features.reduced_size import reduced
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.formats.scan import open3d, read_scan
from vloc.geometry.motion import by_motion
from vloc.geometry.pose_error import pose_errors
from vloc.looking import Looked
from vloc.map_source import photos_behind
from vloc.placed import Placed
from vloc.run.progress import Silent
from vloc.run.workspace import Workspace
from vloc.solvers.ray_casting import RayCaster
from vloc.solvers.view_similarity import likeness_of_patches, view_similarity
from vloc.solvers.view_synthesis import PosedPhoto, synthesize
from vloc.stages.images import Photos
from vloc.view_check import with_views

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench_night import darken

from datasets.synthetic_gallery import GalleryConfig, make

RIGHT, NEAR = (0.02, 0.2), (0.25, 2.0)
"""m, degrees"""
MOVES = {
    **{f"{metres:g} m": (metres, 0.0) for metres in (0.05, 0.25, 1.0)},
    **{f"{degrees:g} deg": (0.0, degrees) for degrees in (1.0, 5.0, 15.0)},
}
POINTS_A_M2, NOISE_M = 400, 0.005
Estimates = Mapping[str, vloc.PoseEstimate]
Views = Mapping[str, ViewSimilarity]


def moved(pose: vloc.Rigid, metres: float, degrees: float, rng: np.random.Generator) -> vloc.Rigid:
    """A pose off by so much in a random direction, about a random axis."""
    drawn = rng.normal(size=(2, 3))
    axis, way = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return by_motion(np.concatenate([np.radians(degrees) * axis, metres * way])) @ pose


def views_of(map_: vloc.Map, queries: vloc.Capture, estimates: Estimates, scan: Path) -> tuple[Views, float]:
    """How what their poses would see looks like the photos, and the CPU seconds that it took."""
    rows = {n: np.array([map_.sparse.row_of[image] for image in each.retrieved]) for n, each in estimates.items()}
    folder = scan.parent / "views"
    shutil.rmtree(folder, ignore_errors=True)
    with Workspace(folder, vloc.Runtime(), Silent()) as work:
        seen = Looked(Photos(queries, work.content_hash), {}, {}, None, (), {}, rows, {}, {})
        config, start = LocalizationConfig(view=ViewConfig("check")), time.process_time()
        found = with_views(work, map_, config, seen, Placed(estimates, None, ()), scan).estimates
        return {n: e.view for n, e in found.items() if e.view is not None}, time.process_time() - start


def placed(map_: vloc.Map, queries: vloc.Capture, folder: Path, **settings: Any) -> dict[str, vloc.PoseEstimate]:
    """Every pose that is found, however little speaks for it."""
    found = vloc.localize(map_, queries, folder, register={"min_confidence": 0.0}, **settings)
    return {each.name: each for each in found if each.cam_from_world is not None}


def is_near(estimate: vloc.PoseEstimate, truth: vloc.Rigid, limits: tuple[float, float]) -> bool:
    """Whether a pose is within so many metres and degrees."""
    assert estimate.cam_from_world is not None
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return bool(metres < limits[0] and np.degrees(radians) < limits[1])


def mirrored(scene: Path) -> vloc.Capture:
    """The queries as a mirror shows them."""
    import cv2

    folder = scene / "mirrored"
    if not folder.exists():
        shutil.copytree(scene / "query", folder)
        for path in folder.rglob("*.jpg"):
            cv2.imwrite(str(path), cv2.imread(str(path))[:, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    return vloc.read(f"kapture:{folder}")


def scan_of(scene: Path, map_: vloc.Map, kind: str) -> Path:
    """The file of a scan of a gallery."""
    if kind == "mesh":
        return scene / "scan.ply"
    path, library = scene / f"{kind}.ply", open3d()
    if path.exists():
        return path
    cloud = library.geometry.PointCloud()
    if kind == "cloud":
        mesh = library.io.read_triangle_mesh(str(scene / "scan.ply"))
        library.utility.random.seed(0)
        cloud = mesh.sample_points_uniformly(int(POINTS_A_M2 * mesh.get_surface_area()))
        points = np.asarray(cloud.points)
        points += np.random.default_rng(0).normal(0, NOISE_M, points.shape)
        cloud = library.geometry.PointCloud(library.utility.Vector3dVector(points))
    else:
        cloud.points = library.utility.Vector3dVector(map_.sparse.points[map_.sparse.track_lengths >= 3])
    library.io.write_point_cloud(str(path), cloud)
    return path


def lights_of(names: Iterable[str]) -> list[str]:
    """Night and day where queries are of either; their names begin so."""
    lights = sorted({name.partition("/")[0] for name in names})
    return lights if set(lights) <= {"day", "night"} else [""]


def told(views: Views, right: Views, at: list[float]) -> str:
    """A line of figures, by day and by night."""
    parts = []
    for light in lights_of(views):
        own, good = ([v for n, v in table.items() if n.startswith(light)] for table in (views, right))
        parts.append(f"{light} {figures(own, at)}" + ("" if views is right else f", auc {auc(good, own):.4f}"))
    return "; ".join(parts)


def figures(views: list[ViewSimilarity], at: list[float]) -> str:
    """How many of some poses are refused, and how alike views and photos are."""
    similarity, share = np.array([(view.similarity, view.share) for view in views]).T
    low, middle, high = np.percentile(similarity, (0, 50, 100))
    usual, is_compared = ViewConfig(), share >= ViewConfig().min_share
    refused = [int(((similarity < limit) & is_compared).sum()) for limit in (usual.min_similarity, *at)]
    others = "".join(f", {count} at {limit:g}" for count, limit in zip(refused[1:], at, strict=True))
    return (
        f"{refused[0]} of {len(views)} refused{others} ({int((~is_compared).sum())} not comparable), similarity "
        f"{middle:.3f} ({low:.3f} to {high:.3f}), share {np.median(share):.2f}"
    )


def auc(right: list[ViewSimilarity], wrong: list[ViewSimilarity]) -> float:
    """How often a right pose's similarity is above a wrong one's; ties count half."""
    high, low = (np.array([view.similarity for view in views]) for views in (right, wrong))
    return float(((high[:, None] > low) + (high[:, None] == low) / 2).mean())


def unsure(views: Views, found: Estimates, truth: Mapping[str, vloc.Rigid]) -> str:
    """How many of the poses that little speaks for are near the truth, of those kept and of those refused."""
    limit, parts = ViewConfig().min_similarity, []
    for light in lights_of(found):
        near = {n: is_near(e, truth[n], NEAR) for n, e in found.items() if e.confidence < 0.5 and n.startswith(light)}
        kept = [is_it for name, is_it in near.items() if views[name].similarity >= limit]
        refused = [is_it for name, is_it in near.items() if views[name].similarity < limit]
        parts.append(
            f"{light} {sum(kept)} of {len(kept)} kept ones near, {sum(refused)} of {len(refused)} refused ones"
        )
    return "; ".join(parts)


def draw(path: Path, map_: vloc.Map, queries: vloc.Capture, estimate: vloc.PoseEstimate, scan: Path) -> None:
    """A photo, what its pose would see, and how alike they are patch by patch; then with a pose 5 degrees off."""
    from matplotlib.figure import Figure

    sparse, caster, size = map_.sparse, RayCaster(lambda: read_scan(scan)), ViewConfig().size
    of_map = photos_behind(map_)

    def small(capture: vloc.Capture, name: str) -> np.ndarray:
        assert capture.files is not None
        return reduced(decode(capture.files.read(name), name, color=False), size)

    def posed(name: str) -> PosedPhoto:
        row = sparse.row_of[name]
        return PosedPhoto(small(of_map, name), sparse.camera(row), sparse.cam_from_world[row])

    photos, photo = [posed(name) for name in estimate.retrieved[:10]], small(queries, estimate.name)
    figure = Figure(figsize=(9.6, 5.0), layout="constrained")
    rng, pose = np.random.default_rng(0), estimate.cam_from_world
    for row, at in zip(figure.subplots(2, 3), (pose, moved(pose, 0, 5, rng)), strict=True):
        view = synthesize(caster.hits, estimate.camera, at, photo.shape, photos)
        found, likeness = view_similarity(photo, view), likeness_of_patches(photo, view)
        off = "the pose found" if at is pose else "5 degrees off"
        for axes, shown, title in zip(row, (photo, view.pixels), ("photo", f"what it would see: {off}"), strict=False):
            axes.imshow(shown, cmap="gray", vmin=0, vmax=shown.max())
            axes.set_title(title, fontsize="small")
        drawn = row[2].imshow(likeness, vmin=0.5, vmax=1, cmap="viridis")
        row[2].set_title(f"likeness of patches, median {found.similarity:.2f}", fontsize="small")
        figure.colorbar(drawn, ax=row[2], shrink=0.8)
        for axes in row:
            axes.set_axis_off()
    figure.savefig(path, dpi=100, pil_kwargs={"quality": 85})


@dataclass(frozen=True)
class Case:
    """Queries in a map, with their truth and a scan; `folder`: for what is stored."""

    name: str
    map_: vloc.Map
    queries: vloc.Capture
    truth: Mapping[str, vloc.Rigid]
    scan: Path
    folder: Path


def report(case: Case, others: Mapping[str, vloc.Capture], moves: list[str], at: list[float]) -> None:
    """Lines for a case; `others`: queries that do not belong there."""
    found = placed(case.map_, case.queries, case.folder / "poses")
    good = {n: e for n, e in found.items() if e.confidence >= 0.5 and is_near(e, case.truth[n], RIGHT)}
    right, seconds = views_of(case.map_, case.queries, good, case.scan)
    print(
        f"{case.name}: {1000 * seconds / len(right):.0f} CPU ms a query\n  right: {told(right, right, at)}", flush=True
    )
    every, _ = views_of(case.map_, case.queries, found, case.scan)
    print(f"  unsure: {unsure(every, found, case.truth)}", flush=True)
    rng = np.random.default_rng(0)
    for name, (metres, degrees) in ((name, MOVES[name]) for name in moves):
        off = {n: replace(e, cam_from_world=moved(e.cam_from_world, metres, degrees, rng)) for n, e in good.items()}
        print(f"  {name}: {told(views_of(case.map_, case.queries, off, case.scan)[0], right, at)}", flush=True)
    for name, photos in others.items():
        wrong = placed(case.map_, photos, case.folder / f"{name} poses", preset="config2")
        print(f"  {name}: {told(views_of(case.map_, photos, wrong, case.scan)[0], right, at)}", flush=True)


def gallery(scene: Path, kind: str) -> Case:
    """A gallery that is made, with a kind of scan."""
    map_, queries = vloc.Map.open(scene / "map"), vloc.read(f"kapture:{scene / 'query'}")
    truth = read_poses(scene / "query_truth.txt")
    return Case(f"{scene.name}, {kind}", map_, queries, truth, scan_of(scene, map_, kind), scene)


def photographed(data: Path, folder: Path) -> Case:
    """A scene of Strecha et al., with the points of its map as its scan."""
    folder.mkdir(parents=True, exist_ok=True)
    map_ = vloc.build_map(f"kapture:{data / 'mapping'}", folder / "map")
    queries, truth = vloc.read(f"kapture:{data / 'query'}"), read_poses(data / "gt_poses.txt")
    return Case(f"{data.name}, points", map_, queries, truth, scan_of(folder, map_, "points"), folder)


def main() -> None:
    """Lines for every seed and scan, and every scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--scans", nargs="+", choices=["mesh", "cloud", "points"], default=["mesh"])
    parser.add_argument("--scenes", type=Path, nargs="*", default=[])
    parser.add_argument("--moves", nargs="*", choices=list(MOVES), default=list(MOVES))
    parser.add_argument("--at", type=float, nargs="*", default=[])
    parser.add_argument("--num-queries", type=int, default=120)
    parser.add_argument("--hard-night", action="store_true")
    parser.add_argument("--picture", type=Path)
    flags = parser.parse_args()
    if flags.hard_night:
        darken()
    scenes = [flags.folder / f"view{seed}" for seed in flags.seeds]
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(90, flags.num_queries, with_depth=True, seed=seed))
        vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
    for scene, other in zip(scenes, [*scenes[1:], *scenes[:1]], strict=True):
        others = {"mirrored": mirrored(scene), "foreign": vloc.read(f"kapture:{other / 'query'}")}
        for kind in flags.scans:
            report(gallery(scene, kind), others, flags.moves, flags.at)
    for data in flags.scenes:
        report(photographed(data, flags.folder / data.name), {}, flags.moves, flags.at)
    if flags.picture is not None:
        case = gallery(scenes[0], "mesh")
        found = placed(case.map_, case.queries, case.folder / "poses")
        night = next(name for name in found if name.startswith("night"))
        draw(flags.picture, case.map_, case.queries, found[night], case.scan)


if __name__ == "__main__":
    main()
