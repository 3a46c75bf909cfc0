"""Matches -> tracks: which keypoints are connected, some pairs of images at a time, in the memory of the keypoints.

Keypoints are rows: those of all images, one image after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..array_types import Float32, Float64, Int32, Int64, UInt32

PairRows = tuple[int, int, UInt32[np.ndarray, "_ 2"]]
"""two images, and which keypoints of theirs match"""
PAIRS_AT_A_TIME = 256
KEYPOINTS_AT_A_TIME = 1 << 18
UNMATCHED = -1


@dataclass(frozen=True, eq=False)
class Connected:
    """For every keypoint the first one of its track, and the one it matches in the image that stands farthest away.

    Of keypoints without matches both are `UNMATCHED`.
    """

    root: Int32[np.ndarray, "k"]
    partner: Int32[np.ndarray, "k"]


def connected(
    counts: Int64[np.ndarray, "i"], centers: Float64[np.ndarray, "i 3"], matches: Iterable[PairRows]
) -> Connected:
    """The tracks of images with so many keypoints each, whose cameras stand at `centers`."""
    offsets = np.concatenate([[0], np.cumsum(counts)])
    root, partner = np.arange(offsets[-1], dtype=np.int32), np.full(offsets[-1], UNMATCHED, np.int32)
    farthest = np.full(len(root), -1, np.float32)
    for first, second, apart in _edges(offsets, centers, matches):
        _join(root, first, second)
        _take_farther(partner, farthest, first, second, apart)
        _take_farther(partner, farthest, second, first, apart)
    del farthest
    for start in range(0, len(root), KEYPOINTS_AT_A_TIME):
        _roots(root, np.arange(start, min(start + KEYPOINTS_AT_A_TIME, len(root))))
    root[partner == UNMATCHED] = UNMATCHED
    return Connected(root, partner)


def _edges(
    offsets: Int64[np.ndarray, "i_plus_1"], centers: np.ndarray, matches: Iterable[PairRows]
) -> Iterator[tuple[np.ndarray, np.ndarray, Float32[np.ndarray, "e"]]]:
    """The keypoints that match, of some pairs at a time, and how far apart their cameras stand."""
    waiting = iter(matches)
    while batch := list(islice(waiting, PAIRS_AT_A_TIME)):
        images = np.array([(first, second) for first, second, _ in batch])
        sizes = [len(rows) for _, _, rows in batch]
        rows = np.concatenate([rows for _, _, rows in batch]) + np.repeat(offsets[images], sizes, axis=0)
        apart = np.linalg.norm(centers[images[:, 0]] - centers[images[:, 1]], axis=1)
        yield *rows.T, np.repeat(apart, sizes).astype(np.float32)


def _join(root: Int32[np.ndarray, "k"], first: np.ndarray, second: np.ndarray) -> None:
    """Hang the later one of the two trees that each match connects on the earlier one, until they are one."""
    while len(first):
        first, second = _roots(root, first), _roots(root, second)
        apart = first != second
        first, second = first[apart], second[apart]
        np.minimum.at(root, np.maximum(first, second), np.minimum(first, second))


def _roots(root: Int32[np.ndarray, "k"], rows: np.ndarray) -> Int32[np.ndarray, "n"]:
    """The roots of the trees that some keypoints are in; these then hang on them at once."""
    found = root[rows]
    while not np.array_equal(up := root[found], found):
        found = up
    root[rows] = found
    return found


def _take_farther(
    partner: np.ndarray, farthest: np.ndarray, rows: np.ndarray, others: np.ndarray, apart: np.ndarray
) -> None:
    """Note the matches that are farther apart than those that there were; the first of equals stays."""
    order = np.lexsort((-apart, rows))
    first = np.ones(len(order), bool)
    first[1:] = rows[order][1:] != rows[order][:-1]
    best = order[first]
    best = best[apart[best] > farthest[rows[best]]]
    partner[rows[best]], farthest[rows[best]] = others[best], apart[best]


def numbered(found: Connected, rows: Int32[np.ndarray, "o"]) -> tuple[Int32[np.ndarray, "o"], Int32[np.ndarray, "o"]]:
    """Of whole tracks (their keypoints, rising): the tracks, counted from 0, and the partners as places in `rows`."""
    track = np.unique(found.root[rows], return_inverse=True)[1]
    return track.astype(np.int32), np.searchsorted(rows, found.partner[rows]).astype(np.int32)
