"""Matches near where points project: made with a pose in hand, they refine it and are no evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..array_types import Bool, Float, Float32, Float64, Int64
from ..data.features import LocalFeatures
from ..data.map_images import Shown

BLOCK = 1024
"""pairs compared at a time: 1 MB of float32, which stay in the cache"""
MAX_CELLS = 1024
"""along a side of the picture, among which keypoints are looked up"""
ROUNDING = 1e-9
"""part by which cells are larger than what is looked for, so that it never lies beyond the next one"""
SAMPLE = 128
"""keypoints of the query that say how far apart different things usually are"""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of a keypoint and a point (place in a list of points) that projects near it, sorted by point."""

    keypoints: Int64[np.ndarray, "c"]
    places: Int64[np.ndarray, "c"]


def near(keypoints: Float32[np.ndarray, "n 2"], pixels: Float64[np.ndarray, "p 2"], radius_px: float) -> Candidates:
    """All pairs of a keypoint and a projected point that are at most `radius_px` apart.

    Keypoints are ordered by square cells of that size, column by column, so those near a point are three runs of them.
    """
    (x, y), (u, v) = keypoints.T.astype(np.float64), pixels.T
    left, top, right, bottom = x.min(initial=0), y.min(initial=0), x.max(initial=0), y.max(initial=0)
    size = max(radius_px * (1 + ROUNDING), max(right - left, bottom - top) / MAX_CELLS)
    columns, rows = int((right - left) / size) + 3, int((bottom - top) / size) + 3  # with a border of empty ones
    cells = ((x - left) / size + 1).astype(np.int64) * rows + ((y - top) / size + 1).astype(np.int64)
    order = np.argsort(cells, kind="stable")
    begins = np.append(0, np.cumsum(np.bincount(cells, minlength=columns * rows)))
    column = ((u - left) / size + 1).clip(1, columns - 2).astype(np.int64)
    row = ((v - top) / size + 1).clip(1, rows - 2).astype(np.int64)
    first = ((column + np.arange(-1, 2)[:, None]) * rows + row - 1).ravel()
    counts = begins[first + 3] - begins[first]
    places, found = np.repeat(np.tile(np.arange(len(u)), 3), counts), order[runs(begins[first], counts)]
    kept = np.square(x[found] - u[places]) + np.square(y[found] - v[places]) <= radius_px**2
    pairs = np.sort(places[kept] * len(x) + found[kept])
    return Candidates(pairs % len(x), pairs // len(x))


def most_similar(
    query: LocalFeatures,
    candidates: Candidates,
    points: Int64[np.ndarray, "p"],
    images: Sequence[Shown],
    max_distance: float,
    map_: Callable[..., Iterable[Any]] = map,
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """Keypoints and points (rows) that are each other's most similar candidate, sorted by keypoint.

    `points`: rows of the points that candidates are places of, rising. A candidate's similarity is the sum over all
    `images` that show its point, so points that many images know are preferred; in one of them at least, descriptors
    must be at most `max_distance` apart (of unit vectors).
    """
    count = len(candidates.places)
    best, votes = np.full(count, -np.inf, np.float32), np.zeros(count, np.float32)
    starts = np.searchsorted(candidates.places, np.arange(len(points) + 1))
    place_of = np.full(points.max(initial=-1) + 2, -1)  # a table is looked up in a fifth of a search's time
    place_of[points] = np.where(np.diff(starts) > 0, np.arange(len(points)), -1)
    compare = partial(_compare, query, query.descriptors.astype(np.float32), candidates.keypoints, place_of, starts)
    for rows, values in map_(compare, images if count else ()):
        np.maximum.at(best, rows, values)
        np.add.at(votes, rows, values)
    kept = np.flatnonzero(best >= 1 - max_distance**2 / 2)
    keypoints, places = best_pairs(candidates.keypoints[kept], candidates.places[kept], votes[kept])
    return keypoints, points[places]


def best_pairs(
    keypoints: Int64[np.ndarray, "c"], places: Int64[np.ndarray, "c"], values: Float[np.ndarray, "c"]
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """The candidates that are the best (largest value) of their keypoint and of their place, sorted by keypoint."""
    kept = np.flatnonzero(_is_largest(values, keypoints) & _is_largest(values, places))
    kept = kept[np.unique(places[kept], return_index=True)[1]]  # of equally good ones the first
    kept = kept[np.unique(keypoints[kept], return_index=True)[1]]
    return keypoints[kept], places[kept]


def usual_distance(query: LocalFeatures, image: LocalFeatures) -> float:
    """How far the descriptor of a keypoint usually is from the nearest one of other things; 0 where nobody knows."""
    if len(image) < 2 or not len(query):
        return 0.0
    some = query[:: max(len(query) // SAMPLE, 1)]
    cosines = _unit_rows(some) @ _unit_rows(image).T
    cosines[np.arange(len(some)), cosines.argmax(axis=1)] = -1  # the nearest may be the thing itself
    return float(np.sqrt(np.maximum(2 - 2 * np.median(cosines.max(axis=1)), 0)))


def _compare(
    query: LocalFeatures,
    descriptors: Float32[np.ndarray, "n d"],
    keypoints: Int64[np.ndarray, "c"],
    place_of: Int64[np.ndarray, "r"],
    starts: Int64[np.ndarray, "p_plus_1"],
    image: Shown,
) -> tuple[Int64[np.ndarray, "s"], Float32[np.ndarray, "s"]]:
    """Rows of candidates whose point an image shows, and their cosines.

    `descriptors`: the query's as float32, which is what takes time; `place_of`: the places of map points that have
    candidates, -1 for others, at its end for all rows beyond; `starts`: where each place's candidates begin.
    """
    places = place_of.take(image.points, mode="clip")
    shown = np.flatnonzero(places >= 0)
    places, theirs = places[shown], image.features.descriptors[shown].astype(np.float32)
    counts, lengths = starts[places + 1] - starts[places], image.features.lengths[shown]
    observations, rows = np.repeat(np.arange(len(counts)), counts), runs(starts[places], counts)
    keypoints, cosines = keypoints[rows], np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        ours = descriptors.take(keypoints[block], axis=0)
        cosines[block] = np.einsum("cd,cd->c", ours, theirs.take(observations[block], axis=0))
    return rows, cosines / (query.lengths[keypoints] * lengths[observations])


def runs(starts: Int64[np.ndarray, "k"], counts: Int64[np.ndarray, "k"]) -> Int64[np.ndarray, "s"]:
    """Runs of successive numbers, `counts` of them from each of `starts`, laid end to end."""
    firsts: Int64[np.ndarray, "s"] = np.repeat(starts - np.cumsum(counts) + counts, counts)
    return firsts + np.arange(len(firsts))


def _unit_rows(features: LocalFeatures) -> Float32[np.ndarray, "n d"]:
    rows: Float32[np.ndarray, "n d"] = features.descriptors.astype(np.float32) / features.lengths[:, None]
    return rows


def _is_largest(values: Float[np.ndarray, "c"], groups: Int64[np.ndarray, "c"]) -> Bool[np.ndarray, "c"]:
    """Which values are the largest of their group."""
    largest = np.full(groups.max(initial=-1) + 1, -np.inf, values.dtype)
    np.maximum.at(largest, groups, values)
    return values == largest[groups]
