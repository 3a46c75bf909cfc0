"""Keypoints matched with points that project near them by what they look like there: as large, and turned as far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..array_types import Float32, Float64, Int64
from ..data.features import LocalFeatures
from ..data.map_images import Shown
from ..data.sparse_map import SparseMap
from ..geometry.arrows import arrows_of
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_world
from ..geometry.rigid import Rigid
from .guided import Candidates, runs

MAX_DIFFERENCE = 0.5
"""of two arrows as a part of their length, beyond which they are not alike at all: 29 degrees, or a factor of 1.65"""
LEAST_WEIGHT = 0.01
"""of a match that is kept"""


def alike(
    query: LocalFeatures,
    candidates: Candidates,
    points: Int64[np.ndarray, "p"],
    images: Sequence[Shown],
    nearness: Float64[np.ndarray, "i"],
    pose: Rigid,
    camera: Camera,
    sparse: SparseMap,
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"], Float64[np.ndarray, "m"]]:
    """Keypoints and points (rows) that look alike, sorted by point, and what each match counts (0 to 1).

    `points`: rows of the points that candidates are places of, rising. A keypoint is as like a point as it has the
    scale and orientation that, by one of the `images` that show the point, it has to have under the pose; an image
    counts by its `nearness` (0 to 1). A match counts as much as it is alike, times its share in all that compete for
    its keypoint or its point (soft assignment: Gold et al., Pattern Recognition 1998). How near they project does not
    count: it would draw the pose to where it was.
    """
    likeness = _likeness(query, candidates, points, images, nearness, pose, camera, sparse)
    of_both = sum(np.bincount(of, likeness)[of] for of in (candidates.keypoints, candidates.places)) - likeness
    weights = likeness**2 / np.maximum(of_both, np.finfo(np.float64).tiny)
    kept = np.flatnonzero(weights > LEAST_WEIGHT)
    return candidates.keypoints[kept], points[candidates.places[kept]], weights[kept]


def _likeness(
    query: LocalFeatures,
    candidates: Candidates,
    points: Int64[np.ndarray, "p"],
    images: Sequence[Shown],
    nearness: Float64[np.ndarray, "i"],
    pose: Rigid,
    camera: Camera,
    sparse: SparseMap,
) -> Float64[np.ndarray, "c"]:
    """How alike candidates are, 0 to 1: Tukey's biweight of how far their arrows are apart."""
    counts = np.bincount(candidates.places, minlength=len(points))
    has, starts = np.flatnonzero(counts), np.cumsum(counts) - counts
    expected, places, at_most = _expected(images, nearness, points[has], pose, camera, sparse)
    places = has[places]
    rows, of = runs(starts[places], counts[places]), np.repeat(np.arange(len(places)), counts[places])
    assert query.angles is not None  # noqa: S101 - asked of such only
    found, keypoints = arrows_of(query.scales, query.angles), candidates.keypoints.take(rows)
    apart = _difference(found.take(keypoints, axis=1), expected.take(of, axis=1)) / MAX_DIFFERENCE
    most = np.zeros(len(candidates.places))
    np.maximum.at(most, rows, np.square(np.maximum(1 - np.square(apart), 0)) * at_most.take(of))
    return most


def _expected(
    images: Sequence[Shown],
    nearness: Float64[np.ndarray, "i"],
    points: Int64[np.ndarray, "p"],
    pose: Rigid,
    camera: Camera,
    sparse: SparseMap,
) -> tuple[Float32[np.ndarray, "2 o"], Int64[np.ndarray, "o"], Float64[np.ndarray, "o"]]:
    """How, by each image, the pose shows some points (rows, rising): arrows, px, of which point, and how near it is."""
    place_of = np.full(points.max(initial=-1) + 2, -1)  # a table is looked up in a fifth of a search's time
    place_of[points] = np.arange(len(points))
    every = place_of.take(np.concatenate([image.points for image in images]), mode="clip")
    rows = np.flatnonzero(every >= 0)
    places = every[rows]
    arrows = np.concatenate([image.arrows for image in images if image.arrows is not None])
    x, y, z = arrows.take(rows, axis=0).T
    turn = by_point_in_world(camera, pose, sparse.points[points]).astype(np.float32)
    across, down = ([by_axis.take(places) for by_axis in row] for row in turn)
    of_image = np.repeat(nearness, [len(image.points) for image in images])
    return np.stack([a * x + b * y + c * z for a, b, c in (across, down)]), places, of_image[rows]


def _difference(one: Float32[np.ndarray, "2 k"], other: Float32[np.ndarray, "2 k"]) -> Float32[np.ndarray, "k"]:
    """How far the ends of arrows are apart, as a part of their (geometric mean) length."""
    apart, lengths = np.square(one - other).sum(axis=0), np.square(one).sum(axis=0) * np.square(other).sum(axis=0)
    return np.sqrt(apart / np.sqrt(np.maximum(lengths, np.finfo(np.float32).tiny)))
