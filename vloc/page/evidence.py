"""What speaks for a query's pose: the matches it shares with its best map image, and which of them agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float64
from ..config import LocalizationConfig, query_matcher
from ..data.estimate import PoseEstimate
from ..data.map_images import MapImages
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from ..map import Map
from ..matching.base import PhotoMatcher
from ..runtime import Runtime
from ..solvers.pose_refinement import reprojection_errors
from ..stages.correspond import MapMatcher, resolve
from ..stages.extract import extract
from ..stages.images import Photo

NUM_COMPARED = 5
"""retrieved images that a page shows, and looks for the best among"""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Points seen both by a query and by one map image; pixels have their first centre at (0.5, 0.5)."""

    image: str
    query_pixels: Float64[np.ndarray, "m 2"]
    map_pixels: Float64[np.ndarray, "m 2"]
    errors_px: Float64[np.ndarray, "m"]
    """from the query's pixel to where the pose projects the point; infinite behind the camera and without a pose"""
    agrees: Bool[np.ndarray, "m"]
    """whether that is within the solver's limit"""


Finder = Callable[[Photo, Camera, PoseEstimate], Evidence | None]


def finder(map_: Map, config: LocalizationConfig, runtime: Runtime) -> Finder:
    """A function that matches a query with the first of its retrieved images once more, and gives its evidence.

    None of a map whose photos are matched as they are: it is left out of the pictures.
    """
    if isinstance(matcher := query_matcher(config, map_.config), PhotoMatcher):
        return lambda photo, camera, estimate: None
    extractor = map_.config.extract.load(runtime)
    match = MapMatcher(matcher.load(runtime), MapImages(map_.features, map_.sparse))

    def find(photo: Photo, camera: Camera, estimate: PoseEstimate) -> Evidence | None:
        features = extract(extractor, photo)
        rows = [map_.sparse.row_of[name] for name in estimate.retrieved[:NUM_COMPARED]]
        matches = resolve(match(features, camera.size, rows))
        query_pixels = features.keypoints[matches.keypoints].astype(np.float64)
        points = map_.sparse.points[matches.points]
        errors = errors_px(estimate.cam_from_world, camera, query_pixels, points)
        agrees = errors <= config.register.max_error_px
        row = best_image(map_.sparse, rows, matches, agrees)
        return None if row is None else _shared(map_, row, matches, query_pixels, errors, agrees)

    return find


def errors_px(
    cam_from_world: Rigid | None,
    camera: Camera,
    pixels: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
) -> Float64[np.ndarray, "m"]:
    """How far a pose projects points from their pixels; infinite behind the camera, and everywhere without a pose."""
    if cam_from_world is None:
        return np.full(len(pixels), np.inf)
    return reprojection_errors(pixels, points_in_world, camera, cam_from_world)


def best_image(
    sparse: SparseMap, rows: list[int], matches: Correspondences, agrees: Bool[np.ndarray, "m"]
) -> int | None:
    """The retrieved map image that shows most of the agreeing points (of all matched ones where none agrees)."""
    points = matches.points[agrees] if agrees.any() else matches.points
    counts = [int(np.isin(points, sparse.points_of(row)).sum()) for row in rows]
    return rows[int(np.argmax(counts))] if any(counts) else None


def _shared(
    map_: Map,
    row: int,
    matches: Correspondences,
    query_pixels: Float64[np.ndarray, "m 2"],
    errors: Float64[np.ndarray, "m"],
    agrees: Bool[np.ndarray, "m"],
) -> Evidence:
    name, seen = map_.sparse.image_names[row], map_.sparse.points_of(row)
    points, keypoints = np.unique(seen, return_index=True)  # the first keypoint of each point
    place = np.minimum(np.searchsorted(points, matches.points), len(points) - 1)
    shown = points[place] == matches.points
    pixels = map_.features[name].keypoints[keypoints[place[shown]]]
    return Evidence(name, query_pixels[shown], pixels.astype(np.float64), errors[shown], agrees[shown])
