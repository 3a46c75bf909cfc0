"""Tracks -> points: keypoints that matches connect, of which some may be mistaken, or show another point.

Matching keypoints propose points where their rays meet. Of the proposals of a track, the one with the least truncated
reprojection error stands (MSAC: Torr and Zisserman 2000, eq. 7), and is refined by Gauss-Newton on the keypoints near
it. What is left of the track proposes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Bool, Float64, Int32, Int64
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.projection import unproject
from .observations import Observations, each_of, linearise, reprojected, sums
from .point_steps import gauss_newton_steps

if TYPE_CHECKING:
    from .triangulation import TriangulationConfig

MAX_ROUNDS = 5
"""points that one track can give"""
MAX_PROPOSALS = 8
"""proposals of a track that are looked at in one round: those whose rays meet at the largest angles"""
STEPS = 5
PAIRS_AT_A_TIME = 1 << 18
"""reprojections at a time; bounds the memory"""


@dataclass(frozen=True, eq=False)
class Tracks:
    """Keypoints of some images, images in rising order, and the tracks that they form.

    `pixels`: px. `track`: counts from 0. `partner`: of each keypoint, the row of one that it matches.
    """

    image: Int32[np.ndarray, "o"]
    pixels: Float64[np.ndarray, "o 2"]
    track: Int32[np.ndarray, "o"]
    partner: Int32[np.ndarray, "o"]

    def __len__(self) -> int:
        return len(self.image)


def track_points(
    images: SparseMap, tracks: Tracks, config: TriangulationConfig
) -> tuple[Float64[np.ndarray, "p 3"], Int32[np.ndarray, "o"]]:
    """The points of some tracks, ordered by these, and the one that each keypoint shows, or NO_POINT.

    `images`: the images of the tracks; of the map nothing but cameras and poses is looked at.
    """
    rays, left = rays_in_world(images, tracks), np.ones(len(tracks), bool)
    shown, points, of_track = np.full(len(tracks), NO_POINT, np.int64), [np.zeros((0, 3))], [np.zeros(0, np.int64)]
    for _ in range(MAX_ROUNDS):
        track, proposed = _proposals(images, tracks, rays, left, config)
        if not len(track):
            break
        track, best = _best(images, tracks, left, track, proposed, config.max_reproj_error)
        rows, point = _rows_of(tracks, track, left)
        found, is_near = _refined(images, tracks, rows, point, best, config.max_reproj_error)
        is_good = _is_good(images, tracks, rows[is_near], point[is_near], found, config)
        shows = is_near & is_good[point]
        number = np.cumsum(is_good) - 1 + sum(map(len, points))
        shown[rows[shows]] = number[point[shows]]
        left[rows[shows | ~is_good[point]]] = False  # a track whose best proposal is no point has none
        points.append(found[is_good])
        of_track.append(track[is_good])
    return _in_order(np.concatenate(points), np.concatenate(of_track), shown)


def rays_in_world(images: SparseMap, tracks: Tracks) -> Float64[np.ndarray, "o 3"]:
    """Unit directions from the cameras' centres through the keypoints; NaN where the lens model has none."""
    rays = np.empty((len(tracks), 3))
    taken_by = images.camera_of_image[tracks.image]
    for row in np.unique(taken_by).tolist():
        part = taken_by == row
        in_cam = np.pad(unproject(images.cameras[row], tracks.pixels[part]), ((0, 0), (0, 1)), constant_values=1.0)
        rays[part] = np.einsum("oij,oi->oj", images.cam_from_world.rotation[tracks.image[part]], in_cam)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _proposals(
    images: SparseMap, tracks: Tracks, rays: np.ndarray, left: Bool[np.ndarray, "o"], config: TriangulationConfig
) -> tuple[Int64[np.ndarray, "h"], Float64[np.ndarray, "h 3"]]:
    """Where rays of matching keypoints meet, by track, at the largest angles first."""
    first = np.flatnonzero(left & left[tracks.partner])
    second = tracks.partner[first]
    again = (tracks.partner[second] == first) & (second < first)
    first, second = first[~again], second[~again]
    centers = images.cam_from_world.center
    points, angles = meeting_points(
        centers[tracks.image[first]], rays[first], centers[tracks.image[second]], rays[second]
    )
    usable = angles >= np.deg2rad(config.min_tri_angle_deg)
    first, points, angles = first[usable], points[usable], angles[usable]
    track = tracks.track[first].astype(np.int64)
    order = np.lexsort((-angles, track))
    order = order[_rank_in_group(track[order]) < MAX_PROPOSALS]
    return track[order], points[order]


def meeting_points(
    first_center: Float64[np.ndarray, "h 3"],
    first_ray: Float64[np.ndarray, "h 3"],
    second_center: Float64[np.ndarray, "h 3"],
    second_ray: Float64[np.ndarray, "h 3"],
) -> tuple[Float64[np.ndarray, "h 3"], Float64[np.ndarray, "h"]]:
    """The middle of the shortest line between two rays (unit vectors), and the angle at which they meet, radians.

    The angle is NaN where they part.
    """
    base = second_center - first_center
    cosine = np.einsum("hi,hi->h", first_ray, second_ray)
    a, b = np.einsum("hi,hi->h", base, first_ray), np.einsum("hi,hi->h", base, second_ray)
    sine_squared = (np.cross(first_ray, second_ray) ** 2).sum(1)
    with np.errstate(all="ignore"):
        near, far = (a - cosine * b) / sine_squared, (cosine * a - b) / sine_squared
        ahead = (near > 0) & (far > 0)
        points = first_center + (near[:, None] * first_ray + base + far[:, None] * second_ray) / 2
        return points, np.where(ahead, np.arctan2(np.sqrt(sine_squared), cosine), np.nan)


def _best(
    images: SparseMap, tracks: Tracks, left: np.ndarray, track: np.ndarray, proposed: np.ndarray, max_error: float
) -> tuple[Int64[np.ndarray, "t"], Float64[np.ndarray, "t 3"]]:
    """The tracks that have proposals, and the best one of each."""
    rows, which = _rows_of(tracks, track, left)
    costs = np.zeros(len(track))
    for part in range(0, len(rows), PAIRS_AT_A_TIME):
        chunk = slice(part, part + PAIRS_AT_A_TIME)
        errors = _errors(images, tracks, rows[chunk], which[chunk], proposed)
        costs += np.bincount(which[chunk], np.minimum(errors, max_error**2), len(track))
    order = np.lexsort((costs, track))
    best = order[_rank_in_group(track[order]) == 0]
    return track[best], proposed[best]


def _rows_of(
    tracks: Tracks, track: Int64[np.ndarray, "t"], left: Bool[np.ndarray, "o"]
) -> tuple[Int64[np.ndarray, "m"], Int32[np.ndarray, "m"]]:
    """The keypoints that are left of some tracks, one track after the other, and which of `track` each belongs to."""
    there = np.flatnonzero(left)
    by_track = there[np.argsort(tracks.track[there], kind="stable")]
    starts = np.searchsorted(tracks.track[by_track], track)
    counts = np.searchsorted(tracks.track[by_track], track, side="right") - starts
    which = np.repeat(np.arange(len(track), dtype=np.int32), counts)
    return by_track[np.arange(len(which)) + np.repeat(starts - np.cumsum(counts) + counts, counts)], which


def _errors(
    images: SparseMap, tracks: Tracks, rows: np.ndarray, point: np.ndarray, points: np.ndarray
) -> Float64[np.ndarray, "m"]:
    """Squared reprojection errors, px^2; infinite behind the camera."""
    seen = Observations(tracks.image[rows], point)
    squares = ((tracks.pixels[rows] - reprojected(images, points, seen)) ** 2).sum(1)
    return np.where(np.isfinite(squares), squares, np.inf)


def _refined(
    images: SparseMap, tracks: Tracks, rows: np.ndarray, point: np.ndarray, points: np.ndarray, max_error: float
) -> tuple[Float64[np.ndarray, "t 3"], Bool[np.ndarray, "m"]]:
    """Points at the least squares of the keypoints within reach, and which those are."""
    for _ in range(STEPS):
        is_near = _errors(images, tracks, rows, point, points) <= max_error**2
        near = Observations(tracks.image[rows[is_near]], point[is_near])
        at = linearise(images, points, near, poses=False)
        points = points + gauss_newton_steps(tracks.pixels[rows[is_near]] - at.pixels, at, near, len(points))
    return points, _errors(images, tracks, rows, point, points) <= max_error**2


def _is_good(
    images: SparseMap,
    tracks: Tracks,
    rows: np.ndarray,
    point: np.ndarray,
    points: np.ndarray,
    config: TriangulationConfig,
) -> Bool[np.ndarray, "t"]:
    """Whether enough images see a point, under rays that meet at a sufficient angle."""
    pairs = np.unique(point * np.int64(len(images.image_names)) + tracks.image[rows])
    num_images = np.bincount(pairs // len(images.image_names), minlength=len(points))
    rays = points[point] - images.cam_from_world.center[tracks.image[rows]]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    widest = _widest_angle(rays, point, len(points))
    enough = 2 if config.keep_two_view_points else 3
    return (num_images >= enough) & (widest >= np.deg2rad(config.min_tri_angle_deg))


def _widest_angle(rays: np.ndarray, point: np.ndarray, count: int) -> Float64[np.ndarray, "t"]:
    """Per point the angle from the ray that is farthest off the mean to the ray farthest from that, radians."""
    from_ray = sums(rays, point, count)
    for _ in range(2):
        apart = np.linalg.norm(np.cross(each_of(from_ray, point), rays), axis=1)
        order = np.lexsort((-apart, point))
        first = order[_rank_in_group(point[order]) == 0]
        from_ray = np.zeros((count, 3))
        from_ray[point[first]] = rays[first]
    widest = np.zeros(count)
    widest[point[first]] = np.arcsin(np.minimum(apart[first], 1))
    return widest


def _rank_in_group(groups: np.ndarray) -> Int64[np.ndarray, "n"]:
    """How many of the same group stand before each, of groups that stand together."""
    rows = np.arange(len(groups))
    begins = np.ones(len(groups), bool)
    begins[1:] = groups[1:] != groups[:-1]
    return rows - np.maximum.accumulate(np.where(begins, rows, 0))


def _in_order(
    points: np.ndarray, track: np.ndarray, shown: np.ndarray
) -> tuple[Float64[np.ndarray, "p 3"], Int32[np.ndarray, "o"]]:
    """The points ordered by their tracks."""
    order = np.argsort(track, kind="stable")
    place = np.append(np.empty(len(order), np.int32), np.int32(NO_POINT))
    place[order] = np.arange(len(order), dtype=np.int32)
    return points[order], place[shown]
