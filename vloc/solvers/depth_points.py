"""A sparse map from the depths of keypoints: points on surfaces, merged over the images that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Bool, Float32, Float64, Int32, Int64
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.projection import project
from .colmap import PairMatches
from .depth_noise import depth_noise, sigmas_of
from .observations import Projector, all_observations, sums
from .point_refinement import refine_points
from .pose_noise import pose_noise
from .posed_images import PosedImages, without_points
from .surfaces import Lifted, lifted

AGREEMENT = 4.0
"""standard deviations that two depths may be apart"""
NEIGHBOURS = 8
"""nearest ones among which each point is merged: bounds memory where many lie close"""
DROPS = 2
"""times that observations which do not reproject are dropped from the mean of a point"""


@dataclass(frozen=True)
class LiftLimits:
    """Which keypoints are the same point."""

    merge_m: float
    """m; points of any two keypoints so near are one"""
    max_reproj_error: float
    """px; a keypoint further from the point of its match shows another"""
    pose_error_px: float | None = None
    """px; as of `TriangulationConfig`"""


def lift(
    images: PosedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    planes: Sequence[Float32[np.ndarray, "_ 3"] | None],
    matches: PairMatches,
    limits: LiftLimits,
    start: SparseMap | None = None,
) -> SparseMap:
    """The points of all keypoints that have depth, merged along matches that agree and where they coincide.

    Cameras and poses stay as given. Each point is refined on its keypoints and depths together, whose noise is
    estimated (`depth_noise`), with an offset of every image as triangulated points are. With `start`, its points stay,
    now refined with depth too, and keypoints that show none of them are lifted.
    """
    known = lifted(images, keypoints, planes)
    offsets = np.concatenate([[0], np.cumsum([len(own) for own in keypoints])]).astype(np.int64)
    sigmas = sigmas_of(_noise(known, offsets, matches), known.depths)
    edges = _agreeing(images, keypoints, offsets, known, matches, limits.max_reproj_error)
    edges = np.concatenate([edges[_depths_agree(known, sigmas, edges)], _near(known, limits.merge_m)])
    sparse = start or without_points(images, [len(own) for own in keypoints])
    sparse = _with_lifted(sparse, known, edges, keypoints, limits)
    noise_of_poses = np.zeros(2) if limits.pose_error_px == 0 else pose_noise([(sparse, keypoints)])
    sparse = replace(sparse, pose_noise=noise_of_poses)
    surfaces = known.surfaces(sparse.point_of_keypoint, sigmas)
    refined = refine_points(sparse, keypoints, limits.pose_error_px, surfaces)
    return _without_lost(_reprojecting(refined, keypoints, limits))


def _noise(known: Lifted, offsets: Int64[np.ndarray, "i_plus_1"], matches: PairMatches) -> Float64[np.ndarray, "2"]:
    """Of depth, from all matches: those whose points reproject are those whose depths agree."""
    rows = [indices.astype(np.int64) + offsets[list(pair)] for pair, indices in matches.items()]
    first, second = np.concatenate([np.zeros((0, 2), np.int64), *rows]).T
    both = known.has_depth[first] & known.has_depth[second]
    return depth_noise(known.off(second[both], known.points[first[both]]), known.depths[second[both]])


def _agreeing(
    images: PosedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    offsets: Int64[np.ndarray, "i_plus_1"],
    known: Lifted,
    matches: PairMatches,
    max_error_px: float,
) -> Int64[np.ndarray, "e 2"]:
    """Matches (rows of all keypoints) where the point of either keypoint that has depth projects onto the other."""
    found = [np.zeros((0, 2), np.int64)]
    for pair, indices in matches.items():
        rows = indices.astype(np.int64) + offsets[list(pair)]
        agrees = known.has_depth[rows].any(axis=1)
        for side, image in enumerate(pair):
            points = known.points[rows[:, 1 - side]]
            projected = project(images.camera(image), images.cam_from_world[image].apply(points))
            error = np.linalg.norm(projected - keypoints[image][indices[:, side]], axis=1)
            agrees &= (error <= max_error_px) | ~known.has_depth[rows[:, 1 - side]]
        found.append(rows[agrees])
    return np.concatenate(found)


def _depths_agree(
    known: Lifted, sigmas: Float64[np.ndarray, "o"], edges: Int64[np.ndarray, "e 2"]
) -> Bool[np.ndarray, "e"]:
    """Whether the depths of both keypoints agree; nothing contradicts where one has none."""
    limit = AGREEMENT * np.hypot(*sigmas[edges].T)
    apart = [np.abs(known.off(edges[:, side], known.points[edges[:, 1 - side]])) for side in (0, 1)]
    return ~((apart[0] > limit) | (apart[1] > limit))


def _near(known: Lifted, radius_m: float) -> Int64[np.ndarray, "e 2"]:
    """Pairs of keypoints whose points lie within a radius."""
    from scipy.spatial import cKDTree

    rows = np.flatnonzero(known.has_depth)
    if radius_m == 0 or len(rows) < 2:
        return np.zeros((0, 2), np.int64)
    tree = cKDTree(known.points[rows])
    _, nearest = tree.query(known.points[rows], k=min(NEIGHBOURS, len(rows)), distance_upper_bound=radius_m)
    first, place = np.nonzero(nearest < len(rows))
    return np.stack([rows[first], rows[nearest[first, place]]], axis=1)


def _with_lifted(
    sparse: SparseMap,
    known: Lifted,
    edges: Int64[np.ndarray, "e 2"],
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    limits: LiftLimits,
) -> SparseMap:
    """The map with a point for every group of keypoints that edges join, of those that show none yet."""
    is_free = sparse.point_of_keypoint == NO_POINT
    groups = _groups(len(is_free), edges[is_free[edges].all(axis=1)], is_free & known.has_depth)
    for _ in range(DROPS):
        made = _showing(sparse, _means(known, groups), groups)
        groups = _renumbered(_reprojecting(made, keypoints, limits).point_of_keypoint, known.has_depth)
    shown = np.where(groups == NO_POINT, sparse.point_of_keypoint, groups + len(sparse.points))
    return _showing(sparse, np.concatenate([sparse.points, _means(known, groups)]), shown.astype(np.int32))


def _showing(
    sparse: SparseMap, points: Float64[np.ndarray, "q 3"], point_of_keypoint: Int32[np.ndarray, "o"]
) -> SparseMap:
    """The map with other points, of which nothing else is known yet."""
    errors = np.zeros(len(points), np.float32)
    bare = replace(sparse, colors=None, point_covariances=None, depth_information=None)
    return replace(bare, points=points, point_errors=errors, point_of_keypoint=point_of_keypoint)


def _groups(count: int, edges: Int64[np.ndarray, "e 2"], has_depth: Bool[np.ndarray, "o"]) -> Int32[np.ndarray, "o"]:
    """Which of the groups that edges join each keypoint is of, in the order of their first ones; NO_POINT of none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    labels = connected_components(joined, directed=False)[1]
    is_shown = has_depth.copy()
    is_shown[edges.ravel()] = True
    return _renumbered(np.where(is_shown, labels, NO_POINT), has_depth)


def _renumbered(labels: Int32[np.ndarray, "o"], has_depth: Bool[np.ndarray, "o"]) -> Int32[np.ndarray, "o"]:
    """Labels counted from 0 in the order in which they come; NO_POINT for those that no keypoint with depth has."""
    found = np.full(len(labels), NO_POINT, np.int32)
    rows = np.flatnonzero(np.isin(labels, np.unique(labels[has_depth & (labels != NO_POINT)])))
    _, first, which = np.unique(labels[rows], return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int32)
    order[np.argsort(first, kind="stable")] = np.arange(len(first), dtype=np.int32)
    found[rows] = order[which]
    return found


def _means(known: Lifted, groups: Int32[np.ndarray, "o"]) -> Float64[np.ndarray, "p 3"]:
    """The mean point of every group over its keypoints that have depth, nearer ones counting more."""
    rows = np.flatnonzero((groups != NO_POINT) & known.has_depth)
    weights, count = known.depths[rows] ** -2.0, int(groups.max(initial=NO_POINT)) + 1
    total = sums(known.points[rows] * weights[:, None], groups[rows], count)
    return total / np.bincount(groups[rows], weights, count)[:, None]


def _reprojecting(sparse: SparseMap, keypoints: Sequence[Float32[np.ndarray, "_ 2"]], limits: LiftLimits) -> SparseMap:
    """The map without observations that are further than the limit from their point."""
    seen, pixels = all_observations(sparse, keypoints)
    error = np.linalg.norm(Projector(sparse, seen).linearised(sparse.points, poses=False).pixels - pixels, axis=1)
    shown = sparse.point_of_keypoint.copy()
    shown[np.flatnonzero(shown != NO_POINT)[~(error <= limits.max_reproj_error)]] = NO_POINT
    return replace(sparse, point_of_keypoint=shown)


def _without_lost(sparse: SparseMap) -> SparseMap:
    """The map without points that no keypoint shows."""
    kept = np.flatnonzero(sparse.track_lengths > 0)
    row = np.full(len(sparse.points) + 1, NO_POINT, np.int32)  # the last for NO_POINT itself
    row[kept] = np.arange(len(kept), dtype=np.int32)
    covariances, information = sparse.point_covariances, sparse.depth_information
    return replace(
        sparse,
        points=sparse.points[kept],
        point_errors=sparse.point_errors[kept],
        point_of_keypoint=row[sparse.point_of_keypoint],
        point_covariances=None if covariances is None else covariances[kept],
        depth_information=None if information is None else information[kept],
    )
