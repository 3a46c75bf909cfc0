"""Keypoints matched with points that project near them by what they look like there: as large, and turned as far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..array_types import Float32, Int64
from ..data.features import LocalFeatures
from ..data.map_images import Shown
from ..data.sparse_map import SparseMap
from ..geometry.arrows import arrows_of
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_world
from ..geometry.rigid import Rigid
from .guided import Candidates, best_pairs, runs

MAX_DIFFERENCE = 0.28
"""of two arrows as a part of their length: 16 degrees, or a factor of 1.3"""


def most_alike(
    query: LocalFeatures,
    candidates: Candidates,
    points: Int64[np.ndarray, "p"],
    images: Sequence[Shown],
    pose: Rigid,
    camera: Camera,
    sparse: SparseMap,
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """Keypoints and points (rows) that are each other's most alike candidate, sorted by keypoint.

    `points`: rows of the points that candidates are places of, rising. A keypoint is like a point if it has the scale
    and orientation that, by one of the `images` that show the point, it has to have under the pose. How near they are
    does not count: it would draw the pose to where it was.
    """
    counts = np.bincount(candidates.places, minlength=len(points))
    has, starts = np.flatnonzero(counts), np.cumsum(counts) - counts
    expected, places = _expected(images, points[has], pose, camera, sparse)
    places = has[places]
    rows, of = runs(starts[places], counts[places]), np.repeat(np.arange(len(places)), counts[places])
    assert query.angles is not None  # noqa: S101 - asked of such only
    found, keypoints = arrows_of(query.scales, query.angles), candidates.keypoints.take(rows)
    least = np.full(len(candidates.places), np.inf, np.float32)
    np.minimum.at(least, rows, _difference(found.take(keypoints, axis=1), expected.take(of, axis=1)))
    fits = np.flatnonzero(least <= MAX_DIFFERENCE)
    keypoints, places = best_pairs(candidates.keypoints[fits], candidates.places[fits], -least[fits])
    return keypoints, points[places]


def _expected(
    images: Sequence[Shown], points: Int64[np.ndarray, "p"], pose: Rigid, camera: Camera, sparse: SparseMap
) -> tuple[Float32[np.ndarray, "2 o"], Int64[np.ndarray, "o"]]:
    """How, by each of the images, the pose shows some points (rows, rising): arrows, px, and which point each is of."""
    place_of = np.full(points.max(initial=-1) + 2, -1)  # a table is looked up in a fifth of a search's time
    place_of[points] = np.arange(len(points))
    every = place_of.take(np.concatenate([image.points for image in images]), mode="clip")
    rows = np.flatnonzero(every >= 0)
    places = every[rows]
    arrows = np.concatenate([image.arrows for image in images if image.arrows is not None])
    x, y, z = arrows.take(rows, axis=0).T
    turn = by_point_in_world(camera, pose, sparse.points[points]).astype(np.float32)
    across, down = ([by_axis.take(places) for by_axis in row] for row in turn)
    return np.stack([a * x + b * y + c * z for a, b, c in (across, down)]), places


def _difference(one: Float32[np.ndarray, "2 k"], other: Float32[np.ndarray, "2 k"]) -> Float32[np.ndarray, "k"]:
    """How far the ends of arrows are apart, as a part of their (geometric mean) length."""
    apart, lengths = np.square(one - other).sum(axis=0), np.square(one).sum(axis=0) * np.square(other).sum(axis=0)
    return np.sqrt(apart / np.sqrt(np.maximum(lengths, np.finfo(np.float32).tiny)))
