"""Places that photos match at, as keypoints that many pairs share, so that points can be triangulated."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, Int64
from ..data.features import LocalFeatures, Matches
from ..data.photo_matches import features_at
from .guided import near

NOWHERE = -1
"""in the place of a keypoint's row, where there is none"""


def quantised(
    places: Float32[np.ndarray, "n 2"], scores: Float32[np.ndarray, "n"], cell_px: float, max_keypoints: int
) -> LocalFeatures:
    """Of every square cell the place with the highest sum of scores, by falling sum over the cell (then by place).

    A place that several pairs agree on exactly, as those of a network's grid, keeps its coordinates.
    """
    if not len(places):
        return features_at(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))
    distinct, of_place = np.unique(places, axis=0, return_inverse=True)
    support = np.bincount(of_place.ravel(), scores)
    cells, of_cell = np.unique(np.floor(distinct / cell_px), axis=0, return_inverse=True)
    total = np.bincount(of_cell.ravel(), support)
    by_cell = np.lexsort((-support, of_cell.ravel()))  # stable: of equals the first
    firsts = by_cell[np.searchsorted(of_cell.ravel()[by_cell], np.arange(len(cells)))]
    kept = np.argsort(-total, kind="stable")[:max_keypoints]
    return features_at(np.ascontiguousarray(distinct[firsts[kept]]), total[kept].astype(np.float32))


def nearest(
    places: Float32[np.ndarray, "m 2"], keypoints: Float32[np.ndarray, "n 2"], radius_px: float
) -> Int64[np.ndarray, "m"]:
    """For every place the row of the nearest keypoint within a radius (of equally near ones the first), or NOWHERE."""
    rows = np.full(len(places), NOWHERE, np.int64)
    if not len(places) or not len(keypoints):
        return rows
    found = near(keypoints, places.astype(np.float64), radius_px)
    apart = np.square(keypoints[found.keypoints].astype(np.float64) - places[found.places]).sum(axis=1)
    order = np.lexsort((apart, found.places))
    owners, firsts = np.unique(found.places[order], return_index=True)
    rows[owners] = found.keypoints[order[firsts]]
    return rows


def one_to_one(
    first: Int64[np.ndarray, "m"], second: Int64[np.ndarray, "m"], scores: Float32[np.ndarray, "m"]
) -> Matches:
    """Matches between keypoints (rows), of those that share one the strongest, by rising keypoint of the first image.

    A row of NOWHERE is no match.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[(first[order] != NOWHERE) & (second[order] != NOWHERE)]
    order = order[np.sort(np.unique(second[order], return_index=True)[1])]
    order = order[np.unique(first[order], return_index=True)[1]]
    return Matches(np.stack([first[order], second[order]], axis=1).astype(np.uint32), scores[order])
