"""Tracks -> points: keypoints that matches connect, of which some may be mistaken, or show another point.

Matching keypoints propose points where their rays meet. Of the proposals of a track, the one with the least truncated
reprojection error stands (MSAC: Torr and Zisserman 2000, eq. 7), and is refined by Gauss-Newton on the keypoints near
it. What is left of the track proposes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Bool, Float64, Int32, Int64
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.projection import unproject
from .observations import Observations, Projector
from .point_steps import gauss_newton_steps

MAX_ROUNDS = 5
"""points that one track can give"""
MAX_PROPOSALS = 8
"""proposals of a track that are looked at in one round: those whose rays meet at the largest angles"""
STEPS = 3
PAIRS_AT_A_TIME = 1 << 18
"""reprojections at a time; bounds the memory"""


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
        seen = Observations(tracks.image[rows[chunk]], which[chunk])
        errors = squares(tracks.pixels[rows[chunk]] - Projector(images, seen).pixels(proposed))
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


def _refined(
    images: SparseMap, tracks: Tracks, rows: np.ndarray, point: np.ndarray, points: np.ndarray, max_error: float
) -> tuple[Float64[np.ndarray, "t 3"], Bool[np.ndarray, "m"]]:
    """Points at the least squares of the keypoints within reach, and which those are."""
    seen, pixels = Observations(tracks.image[rows], point), tracks.pixels[rows]
    projector = Projector(images, seen)
    for _ in range(STEPS):
        at = projector.linearised(points, poses=False)
        residuals = pixels - at.pixels
        is_near = squares(residuals) <= max_error**2
        weights = is_near.astype(np.float64)
        points = points + gauss_newton_steps(np.nan_to_num(residuals), at, seen, len(points), weights)
    return points, squares(pixels - projector.pixels(points)) <= max_error**2


def squares(residuals: Float64[np.ndarray, "m 2"]) -> Float64[np.ndarray, "m"]:
    """Squared lengths; infinite behind the camera, where there is no residual."""
    x, y = residuals.T
    return np.nan_to_num(x * x + y * y, nan=np.inf)


def _is_good(
    images: SparseMap,
    tracks: Tracks,
    rows: np.ndarray,
    point: np.ndarray,
    points: np.ndarray,
    config: TriangulationConfig,
) -> Bool[np.ndarray, "t"]:
    """Whether enough images see a point, under rays that meet at a sufficient angle.

    `point`: rising; `rows`: rising within each point.
    """
    image = tracks.image[rows]
    starts = np.flatnonzero(np.diff(point, prepend=-1))
    another = np.diff(image, prepend=-1) != 0
    another[starts] = True
    num_images = np.bincount(point[another], minlength=len(points))
    widest = np.zeros(len(points))
    rays = points.T.take(point, axis=1) - images.cam_from_world.center.T.take(image, axis=1)
    widest[point[starts]] = widest_angles(rays / np.sqrt((rays * rays).sum(0)), starts)
    enough = 2 if config.keep_two_view_points else 3
    return (num_images >= enough) & (widest >= np.deg2rad(config.min_tri_angle_deg))


def widest_angles(rays: Float64[np.ndarray, "3 m"], starts: Int64[np.ndarray, "g"]) -> Float64[np.ndarray, "g"]:
    """Per group of unit rays the angle from the one farthest off the mean to the one farthest off that, radians.

    `starts`: where each group begins; no group is empty. Angles beyond a right one count as what is left to two.
    """
    if not len(starts):
        return np.zeros(0)
    sizes = np.diff(starts, append=rays.shape[1])
    from_ray = np.add.reduceat(rays, starts, axis=1)
    for _ in range(2):
        along = (np.repeat(from_ray, sizes, axis=1) * rays).sum(0)
        apart = np.repeat((from_ray * from_ray).sum(0), sizes) - along * along  # squared sines, times the mean's length
        widest = np.maximum.reduceat(apart, starts)
        farthest = np.flatnonzero(apart == np.repeat(widest, sizes))
        from_ray = rays[:, farthest[np.searchsorted(farthest, starts)]]
    return np.arcsin(np.sqrt(np.clip(widest, 0, 1)))


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
