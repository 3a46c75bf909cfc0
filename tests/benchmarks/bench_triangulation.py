"""Points of our tracks against those of COLMAP's triangulator: time, counts, and the poses of queries by each.

    python tests/benchmarks/bench_triangulation.py FOLDER SCENE [SCENE ...]

A SCENE is a folder with mapping/, query/ and the truth of the queries (query_truth.txt, or gt_poses.txt). Both are
given the same tracks, poses and limits, and the points of both are refined by `settle_points`. FOLDER keeps the maps.
CPU seconds on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

import vloc
from vloc import blocks
from vloc.config import LocalizationConfig, MappingConfig, make_config
from vloc.data.sparse_map import SparseMap
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.localization import localize_capture
from vloc.mapping import map_capture
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.solvers.colmap import colmap_camera, colmap_pose, sparse_map
from vloc.solvers.track_blocks import Block
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.triangulation import make_points
from vloc.stages import triangulate

Make = Callable[[Block, TriangulationConfig], SparseMap]


def by_colmap(block: Block, config: TriangulationConfig) -> SparseMap:
    """COLMAP's points of a block: all images, complete, merge, retriangulate, bundle adjustment of points, filter."""
    model, graph = model_of(block), graph_of(block)
    manager = pycolmap.ObservationManager(model, graph)
    triangulator = pycolmap.IncrementalTriangulator(graph, model, manager)
    options = pycolmap.IncrementalTriangulatorOptions(
        min_angle=config.min_tri_angle_deg,
        ignore_two_view_tracks=not config.keep_two_view_points,
        random_seed=0,
        complete_max_reproj_error=config.max_reproj_error,
        merge_max_reproj_error=config.max_reproj_error,
    )
    for image in sorted(model.reg_image_ids()):
        triangulator.triangulate_image(options, image)
    triangulator.complete_all_tracks(options)
    triangulator.merge_all_tracks(options)
    triangulator.retriangulate(options)
    adjust(model)
    manager.filter_all_points3D(config.max_reproj_error, config.min_tri_angle_deg)
    model.update_point_3d_errors()
    return sparse_map(block.images, [len(own) for own in block.keypoints], model, range(1, len(block.images) + 1))


def model_of(block: Block) -> Any:
    """The posed images as a COLMAP model: every camera its own rig, every image its own frame."""
    model = pycolmap.Reconstruction()
    for row, camera in enumerate(block.images.cameras):
        model.add_camera_with_trivial_rig(colmap_camera(camera, row + 1))
    for row, (name, own) in enumerate(zip(block.images.names, block.keypoints, strict=True)):
        camera_id = int(block.images.camera_of_image[row]) + 1
        image = pycolmap.Image(name=name, keypoints=own.astype(float), camera_id=camera_id, image_id=row + 1)
        model.add_image_with_trivial_frame(image, colmap_pose(block.images.cam_from_world[row]))
    return model


def graph_of(block: Block) -> Any:
    """Every two keypoints of a track as a match: more than COLMAP would be given, as tracks are closed here."""
    tracks, starts = block.tracks, block.empty.offsets
    graph = pycolmap.CorrespondenceGraph()
    for row, count in enumerate(np.diff(starts).tolist()):
        graph.add_image(row + 1, count)
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    order = np.argsort(tracks.track, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(tracks.track[order])) + 1):
        for place, first in enumerate(rows.tolist()):
            for second in rows[place + 1 :].tolist():
                pair = int(tracks.image[first]), int(tracks.image[second])
                if pair[0] != pair[1]:
                    pairs.setdefault(pair, []).append((first - starts[pair[0]], second - starts[pair[1]]))
    for (first, second), matches in sorted(pairs.items()):
        geometry = pycolmap.TwoViewGeometry()
        geometry.config = 2  # calibrated; geometries left undefined are ignored in silence
        geometry.inlier_matches = np.array(matches, np.uint32)
        graph.add_two_view_geometry(first + 1, second + 1, geometry)
    graph.finalize()
    return graph


def adjust(model: Any) -> None:
    """Least squares on the points alone."""
    setup = pycolmap.BundleAdjustmentConfig()
    for image in model.reg_image_ids():
        setup.add_image(image)
    options = pycolmap.BundleAdjustmentOptions(
        print_summary=False,
        refine_focal_length=False,
        refine_principal_point=False,
        refine_extra_params=False,
        refine_rig_from_world=False,
        refine_sensor_from_rig=False,
    )
    options.ceres.solver_options.num_threads = 1
    pycolmap.create_default_bundle_adjuster(options, setup, model).solve()


def truth_of(scene: Path) -> dict[str, Any]:
    """The poses of the queries."""
    return read_poses(scene / ("query_truth.txt" if (scene / "query_truth.txt").exists() else "gt_poses.txt"))


def measure(scene: Path, folder: Path, name: str, make: Make, version: int) -> str:
    """One row: what was made in which time, and how well the queries are placed by it."""
    spent = [0.0]

    def timed(block: Block, config: TriangulationConfig) -> SparseMap:
        began = time.thread_time()
        made = make(block, config)
        spent[0] += time.thread_time() - began
        return made

    triangulate.make_points = timed
    blocks.TRIANGULATE = replace(triangulate.TRIANGULATE, version=version)
    config = make_config(MappingConfig)
    with Workspace(folder / "map", Runtime(workers=1)) as work:
        map_ = map_capture(work, vloc.read(scene / "mapping"), config)
    with Workspace(folder / f"queries-{name}") as work:
        estimates = localize_capture(work, map_, vloc.read(scene / "query"), make_config(LocalizationConfig))
    truth = truth_of(scene)
    placed = [e for e in estimates if e.cam_from_world is not None]
    errors = [float(pose_errors(e.cam_from_world, truth[e.name])[0]) * 100 for e in placed]
    counts = f"{len(map_.sparse.points):>8} points {map_.sparse.num_observations:>8} observations"
    return (
        f"{name:<8} {counts} {spent[0]:6.2f} s   {len(placed)} of {len(estimates)}, median {np.median(errors):.4f} cm"
    )


def main() -> None:
    """Each scene by both."""
    folder = Path(sys.argv[1])
    pycolmap.logging.minloglevel = 2
    for scene in map(Path, sys.argv[2:]):
        print(scene.name)
        for name, make, version in (("COLMAP", by_colmap, 1_000), ("vloc", make_points, 1_001)):
            print(" ", measure(scene, folder / scene.name, name, make, version))


if __name__ == "__main__":
    main()
