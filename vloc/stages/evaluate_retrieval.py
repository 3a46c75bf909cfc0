"""Retrieved images against true poses: how many queries have an image of their place among the first k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array_types import Bool, Float64, Int64
from ..data.image_names import by_condition, matched
from ..errors import DataError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid

Ranked = Mapping[str, Sequence[str]]
"""map images of every query, best first"""
KS = (1, 5, 10, 20)
NEAR: tuple[tuple[float, float], ...] = ((4.0, 40.0), (25.0, 45.0))
"""(metres, degrees) within which an image shows a query's place: within a room, and kapture's `--max-distance`"""


@dataclass(frozen=True, eq=False)
class RetrievalEvaluation:
    """Which of the retrieved images of every query are near, for each threshold.

    `is_near[query]` has a row for each image, best first, and a column for each threshold. `num_near`: as many map
    images are near at all; queries that have none are left out of the figures of that threshold, and counted.
    """

    names: tuple[str, ...]
    is_near: tuple[Bool[np.ndarray, "k t"], ...]
    num_near: Int64[np.ndarray, "q t"]
    thresholds: tuple[tuple[float, float], ...]
    ks: tuple[int, ...]
    num_without_truth: int

    @property
    def first_near(self) -> Float64[np.ndarray, "q t"]:
        """The place of the first near image, from 1; infinite where none was retrieved."""
        rows = [np.where(hits.any(0), _argmax(hits) + 1.0, np.inf) for hits in self.is_near]
        return np.array(rows).reshape(-1, len(self.thresholds))

    def recall(self, threshold: int, rows: Sequence[int]) -> list[float]:
        """Percent of the queries of those rows that have a near image among the first k, for every k."""
        first = self.first_near[list(rows), threshold]
        return [_percent(first <= k) for k in self.ks]

    def share(self, threshold: int, rows: Sequence[int]) -> list[float]:
        """Percent of the first k that are near, of as many as there could be; the mean over queries, for every k."""
        return [_percent(np.array([self._share(row, threshold, k) for row in rows])) for k in self.ks]

    def _share(self, row: int, threshold: int, k: int) -> float:
        return float(self.is_near[row][:k, threshold].sum() / min(k, self.num_near[row, threshold]))

    def to_json(self) -> dict[str, Any]:
        """The figures, one row for each condition and threshold; those of no query are null."""
        first = self.first_near
        return {
            "num_queries": len(self.names),
            "num_without_truth": self.num_without_truth,
            "retrieval": [
                self._row(condition, rows, threshold)
                for condition, rows in by_condition(self.names).items()
                for threshold in range(len(self.thresholds))
            ],
            "queries": [
                {"name": name, "first_near": [int(place) if np.isfinite(place) else None for place in first[row]]}
                for row, name in enumerate(self.names)
            ],
        }

    def _row(self, condition: str, rows: Sequence[int], threshold: int) -> dict[str, Any]:
        metres, degrees = self.thresholds[threshold]
        placed = [row for row in rows if self.num_near[row, threshold]]
        figures = {"recall": self.recall(threshold, placed), "share": self.share(threshold, placed)}
        return {
            "condition": condition,
            "translation_m": metres,
            "rotation_deg": degrees,
            "num_queries": len(placed),
            "num_without_near": len(rows) - len(placed),
            **{
                name: {str(k): value if placed else None for k, value in zip(self.ks, values, strict=True)}
                for name, values in figures.items()
            },
        }


def evaluate_retrieval(
    ranked: Ranked,
    truth: Mapping[str, Rigid],
    placed: Mapping[str, Rigid],
    thresholds: Sequence[tuple[float, float]] = NEAR,
    ks: Sequence[int] = KS,
) -> RetrievalEvaluation:
    """Compare what was retrieved with the `cam_from_world` poses of queries (`truth`) and of map images (`placed`).

    Names may have more leading folders on one side. DataError where no query is in the truth, or a retrieved image has
    no pose.
    """
    true_name = matched(ranked, truth)
    if not true_name:
        raise DataError(f"none of the {len(ranked)} queries with retrieved images is in the truth")
    row_of = _rows({name for name in true_name for name in ranked[name]}, placed)
    poses, limits = Rigid.stack(list(placed.values())), np.array(thresholds, np.float64)
    names = tuple(sorted(true_name))
    is_near, num_near = [], np.zeros((len(names), len(limits)), np.int64)
    for row, name in enumerate(names):
        metres, radians = pose_errors(poses, truth[true_name[name]])
        near: Bool[np.ndarray, "r t"] = np.all(np.stack([metres, np.degrees(radians)], axis=1)[:, None] <= limits, 2)
        is_near.append(near[[row_of[image] for image in ranked[name]]])
        num_near[row] = near.sum(axis=0)
    unknown = len(ranked) - len(names)
    return RetrievalEvaluation(names, tuple(is_near), num_near, tuple(thresholds), tuple(ks), unknown)


def _rows(images: set[str], placed: Mapping[str, Rigid]) -> dict[str, int]:
    """Retrieved image -> its row among the placed ones."""
    row_of, known = {name: row for row, name in enumerate(placed)}, matched(images, placed)
    if lost := images - known.keys():
        raise DataError(f"{len(lost)} retrieved images have no pose, such as '{min(lost)}': is it the right map?")
    return {name: row_of[known[name]] for name in images}


def _argmax(hits: np.ndarray) -> np.ndarray:
    return hits.argmax(axis=0) if len(hits) else np.zeros(hits.shape[1], np.int64)


def _percent(values: np.ndarray) -> float:
    return 100 * float(values.mean()) if len(values) else float("nan")
