"""Which images are worth comparing, and which map points a query's keypoints may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..array_types import Float32, Float64, Int32, Int64, UInt32
from .features import Arrays

T = TypeVar("T")
NOTHING = -1
"""in the place of a row, where there is none"""


def evenly(names: Sequence[T], count: int) -> list[T]:
    """At most `count` of the names, or of anything, evenly spread, the first and the last among them."""
    return [names[row] for row in np.linspace(0, len(names) - 1, min(len(names), count)).astype(int)]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidate rows for query rows, best first within a query, sorted by query.

    Between two collections it is a retrieval; within one, with first < second, a list of pairs.
    """

    rows: UInt32[np.ndarray, "m 2"]
    scores: Float32[np.ndarray, "m"]

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, query: int) -> UInt32[np.ndarray, "k"]:
        """The candidates of one query, best first."""
        start, stop = np.searchsorted(self.rows[:, 0], [query, query + 1])
        return self.rows[start:stop, 1]

    def scored(self, query: int) -> dict[int, float]:
        """The candidates of one query with their scores, best first."""
        start, stop = np.searchsorted(self.rows[:, 0], [query, query + 1])
        return dict(zip(self.rows[start:stop, 1].tolist(), self.scores[start:stop].tolist(), strict=True))

    @classmethod
    def packed(
        cls, columns: Int64[np.ndarray, "q k"], scores: Float32[np.ndarray, "q k"], first_query: int = 0
    ) -> Ranking:
        """The candidates of queries from that row on, a row each, best first; `NOTHING` is none."""
        queries = np.broadcast_to(np.arange(first_query, first_query + len(columns))[:, None], columns.shape)
        is_there = columns != NOTHING
        return cls(np.stack([queries, columns], axis=-1)[is_there].astype(np.uint32), scores[is_there])

    def padded(self, num_queries: int) -> tuple[Int64[np.ndarray, "q k"], Float32[np.ndarray, "q k"]]:
        """The inverse of `packed`, as wide as the longest list."""
        counts = np.bincount(self.rows[:, 0], minlength=num_queries)
        is_there = np.arange(counts.max(initial=0)) < counts[:, None]
        columns, scores = np.full(is_there.shape, NOTHING, np.int64), np.zeros(is_there.shape, np.float32)
        columns[is_there], scores[is_there] = self.rows[:, 1], self.scores
        return columns, scores

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"rows": self.rows, "scores": self.scores}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Ranking:
        """The inverse of `to_arrays`."""
        return cls(**arrays)


@dataclass(frozen=True, eq=False)
class Correspondences:
    """2D-3D matches of one query: each keypoint with at most one point and each point with at most one keypoint.

    `keypoints`: rows of the query's keypoints; `points`: rows of the map's points; `scores`: summed similarities;
    `images`: the map image row that gave the best match. `area_px`: px^2, in how much of the picture each point was
    looked for; infinite for all of it, and not stored.
    """

    keypoints: Int32[np.ndarray, "m"]
    points: Int32[np.ndarray, "m"]
    scores: Float32[np.ndarray, "m"]
    images: Int32[np.ndarray, "m"]
    area_px: float = np.inf

    @classmethod
    def none(cls) -> Correspondences:
        """No matches."""
        rows = np.zeros(0, np.int32)
        return cls(rows, rows, np.zeros(0, np.float32), rows)

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, rows: np.ndarray) -> Correspondences:
        """Some of the matches, by rows or as a mask."""
        taken = self.keypoints[rows], self.points[rows], self.scores[rows], self.images[rows]
        return Correspondences(*taken, self.area_px)

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"keypoints": self.keypoints, "points": self.points, "scores": self.scores, "images": self.images}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Correspondences:
        """The inverse of `to_arrays`."""
        return cls(arrays["keypoints"], arrays["points"], arrays["scores"], arrays["images"])


@dataclass(frozen=True, eq=False)
class Trained:
    """What a global descriptor learned from the map's images, by name; empty where it learned nothing."""

    arrays: Arrays

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return self.arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Trained:
        """The inverse of `to_arrays`."""
        return cls(arrays)


@dataclass(frozen=True, eq=False)
class Weighing:
    """How much each global descriptor counts on a map, the largest 1, and why: mean average precisions on the map.

    `alone`: of each descriptor; `alike` and `weighed`: of all together, with equal weights and with these.
    """

    weights: Float64[np.ndarray, "n"]
    alone: Float64[np.ndarray, "n"]
    alike: float
    weighed: float

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"weights": self.weights, "alone": self.alone, "together": np.array([[self.alike, self.weighed]])}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Weighing:
        """The inverse of `to_arrays`."""
        return cls(arrays["weights"], arrays["alone"], *arrays["together"][0].tolist())
