"""A sparse map from matches between images of known poses, by COLMAP's triangulator, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.sparse_map import NO_POINT, SparseMap
from .colmap import PairMatches, correspondence_graph, posed_reconstruction, pycolmap
from .point_refinement import refine_points, with_covariances
from .pose_noise import pose_noise
from .posed_images import PosedImages


@dataclass(frozen=True)
class TriangulationConfig:
    """Which points are made, and kept."""

    max_reproj_error: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """px; observations further from their point are dropped"""
    min_tri_angle_deg: Annotated[float, msgspec.Meta(ge=0, lt=180)] = 1.5
    """degrees; points whose rays meet at less are dropped"""
    keep_two_view_points: bool = True
    """whether points that only two images see are made"""
    pose_error_px: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """px; how far the given poses are expected to move keypoints; 0 takes the poses as exact; None: as far as the
    disagreement of the images tells"""


def triangulate(
    images: PosedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    matches: PairMatches,
    config: TriangulationConfig,
) -> SparseMap:
    """Points from matches (rows of `images` -> keypoint rows); cameras and poses stay exactly as given.

    Schoenberger and Frahm 2016, section 4.2, then bundle adjustment of the points alone. The result does not depend
    on the number of cores. The errors of the poses are estimated (`pose_noise`), and the points refined with an offset
    of every image (`point_refinement`). DataError for matches or keypoints that cannot be.
    """
    counts = [len(points) for points in keypoints]
    graph = correspondence_graph(counts, matches)
    model = posed_reconstruction(images, keypoints)
    _make_points(model, graph, config)
    sparse = sparse_map(images, counts, model, range(1, len(images) + 1))
    if config.pose_error_px == 0:
        return with_covariances(sparse, keypoints)
    sparse = replace(sparse, pose_noise=pose_noise(sparse, keypoints))
    return refine_points(sparse, keypoints, config.pose_error_px)


def _make_points(model: Any, graph: Any, config: TriangulationConfig) -> None:
    library = pycolmap()
    manager = library.ObservationManager(model, graph)
    triangulator = library.IncrementalTriangulator(graph, model, manager)
    options = library.IncrementalTriangulatorOptions(
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
    _adjust_points(model)
    manager.filter_all_points3D(config.max_reproj_error, config.min_tri_angle_deg)
    model.update_point_3d_errors()


def _adjust_points(model: Any) -> None:
    """Least squares on the points; on one thread, for sums in the same order on every machine."""
    library = pycolmap()
    setup = library.BundleAdjustmentConfig()
    for image in model.reg_image_ids():
        setup.add_image(image)
    options = library.BundleAdjustmentOptions(
        print_summary=False,
        refine_focal_length=False,
        refine_principal_point=False,
        refine_extra_params=False,
        refine_rig_from_world=False,
        refine_sensor_from_rig=False,
    )
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.function_tolerance = 1e-4
    if model.num_points3D():
        library.create_default_bundle_adjuster(options, setup, model).solve()


def without_points(images: PosedImages, counts: Sequence[int]) -> SparseMap:
    """The images alone, with so many keypoints each."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))]).astype(np.int64)
    return SparseMap(
        images.names,
        images.cameras,
        np.asarray(images.camera_of_image, np.int32),
        images.cam_from_world,
        points=np.zeros((0, 3)),
        point_errors=np.zeros(0, np.float32),
        offsets=offsets,
        point_of_keypoint=np.full(offsets[-1], NO_POINT, np.int32),
    )


def sparse_map(images: PosedImages, counts: Sequence[int], model: Any, image_ids: Sequence[int]) -> SparseMap:
    """The points of a COLMAP model in the order of their ids; `image_ids`: what it calls each row of `images`."""
    ids, points = np.array(sorted(model.point3D_ids()), np.int64), model.points3D
    kept = [points[row] for row in ids.tolist()]
    empty = without_points(images, counts)
    observed = empty.point_of_keypoint.copy()
    for start, image_id in zip(empty.offsets[:-1], image_ids, strict=True):
        image = model.image(image_id)
        shown = np.array([seen.point3D_id for seen in image.get_observation_points2D()], np.int64)
        observed[start + np.array(image.get_observation_point2D_idxs(), np.int64)] = np.searchsorted(ids, shown)
    return replace(
        empty,
        points=np.array([point.xyz for point in kept], np.float64).reshape(len(kept), 3),
        point_errors=np.array([point.error for point in kept], np.float32),
        point_of_keypoint=observed,
    )
