"""Estimated poses against true ones, the way the public benchmarks count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from ..array_types import Bool, Float64
from ..data.frame import Unit
from ..data.image_names import by_condition, matched
from ..errors import DataError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid

Threshold = tuple[float, float]
"""(metres, degrees)"""
THRESHOLDS: tuple[Threshold, ...] = ((0.25, 2.0), (0.5, 5.0), (5.0, 10.0))
"""of the long-term visual localization benchmark (Sattler et al., CVPR 2018)"""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Errors of every query, by its name in the truth, and what they add up to.

    A query without a pose has infinite errors: it counts against recall, and medians and maxima feel it.
    """

    names: tuple[str, ...]
    translation_m: np.ndarray
    rotation_deg: np.ndarray
    thresholds: tuple[Threshold, ...]
    num_fallbacks: int
    num_without_truth: int
    """queries that have no truth"""
    num_not_asked: int
    """images of the truth that were no query"""
    unit: Unit = "m"
    """of `translation_m`; thresholds, which are in metres, say nothing in another"""

    @property
    def num_localized(self) -> int:
        """Queries with a pose."""
        return int(np.isfinite(self.translation_m).sum())

    @property
    def recall(self) -> list[float]:
        """Percent of queries within both limits (inclusive), for each threshold."""
        return [100 * float(hits.mean()) for hits in self.hits]

    @property
    def hits(self) -> list[Bool[np.ndarray, "q"]]:
        """Which queries are within both limits (inclusive), for each threshold; none without metres."""
        limits = self.thresholds if self.unit == "m" else ()
        return [(self.translation_m <= t) & (self.rotation_deg <= r) for t, r in limits]

    @property
    def auc(self) -> list[float]:
        """Percent: the recall at u times both limits, averaged over u from 0 to 1, for each threshold.

        1 for a perfect pose, 0 for one on a limit or beyond: the area under the cumulative curve.
        """
        if self.unit != "m":
            return []
        worse = [np.maximum(self.translation_m / t, self.rotation_deg / r) for t, r in self.thresholds]
        return [100 * float(np.maximum(1 - share, 0).mean()) for share in worse]

    def of(self, rows: Sequence[int]) -> Evaluation:
        """Some of the queries."""
        names = tuple(self.names[row] for row in rows)
        return replace(self, names=names, translation_m=self.translation_m[rows], rotation_deg=self.rotation_deg[rows])

    def by_condition(self, condition_of: Mapping[str, str] | None = None) -> dict[str, Evaluation]:
        """The queries of each condition: as they are given, else by the first folders in which names differ, if any do.

        Those of `night/rain` are of `night`, too. DataError where a query has none.
        """
        if condition_of is None:
            rows = by_condition(self.names)
            del rows["all"]
            return {condition: self.of(of) for condition, of in rows.items()}
        if missing := [name for name in self.names if name not in condition_of]:
            raise DataError(f"{len(missing)} queries have no condition, such as '{missing[0]}'")
        of_condition: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            for condition in accumulate(condition_of[name].split("/"), "{}/{}".format):
                of_condition.setdefault(condition, []).append(row)
        return {condition: self.of(rows) for condition, rows in sorted(of_condition.items())}

    def figures(self) -> dict[str, Any]:
        """What the errors add up to; infinite ones are null. Lengths in another unit than metres have other names."""
        translation, found = f"translation_{self.unit.replace(' ', '_')}", np.isfinite(self.translation_m)
        errors = {translation: self.translation_m, "rotation_deg": self.rotation_deg}
        return {
            "num_queries": len(self.names),
            "num_localized": self.num_localized,
            **{f"median_{what}": _finite(np.median(each)) for what, each in errors.items()},
            **{f"median_localized_{what}": _median(each[found]) for what, each in errors.items()},
            **{f"max_{what}": _finite(each.max()) for what, each in errors.items()},
            "recall": [
                {"translation_m": t, "rotation_deg": r, "percent": percent, "auc": auc}
                for (t, r), percent, auc in zip(self.thresholds, self.recall, self.auc, strict=False)
            ],
        }

    def to_json(self) -> dict[str, Any]:
        """All figures, and the errors of every query."""
        translation = f"translation_{self.unit.replace(' ', '_')}"
        return {
            "unit": self.unit,
            "num_fallbacks": self.num_fallbacks,
            "num_without_truth": self.num_without_truth,
            "num_not_asked": self.num_not_asked,
            **self.figures(),
            "queries": [
                {"name": name, translation: _finite(metres), "rotation_deg": _finite(degrees)}
                for name, metres, degrees in zip(self.names, self.translation_m, self.rotation_deg, strict=True)
            ],
        }


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def evaluate(
    estimates: Mapping[str, Rigid],
    truth: Mapping[str, Rigid],
    thresholds: Sequence[Threshold] = THRESHOLDS,
    fallbacks: Collection[str] = (),
    asked: Collection[str] | None = None,
    unit: Unit = "m",
) -> Evaluation:
    """Compare `cam_from_world` poses by image name; either side's may have more leading folders where that is clear.

    `asked`: all queries, those without a pose included; None: every image of the truth was one. DataError when the
    truth is empty, names are ambiguous, or no estimate and no query is in the truth. `unit`: of the estimates.
    """
    if not truth:
        raise DataError("the truth holds no poses: nothing to compare with")
    true_name = matched({**dict.fromkeys(asked or ()), **estimates}, truth)
    for what, known in (("estimated names", estimates), ("queries", asked or ())):
        if known and not any(name in true_name for name in known):
            raise DataError(f"none of the {len(known)} {what} is in the truth, such as '{next(iter(known))}'")
    names = tuple(sorted(truth if asked is None else true_name.values()))
    metres, degrees = _errors(names, {true_name[n]: pose for n, pose in estimates.items() if n in true_name}, truth)
    unknown = len({*(asked or ()), *estimates} - true_name.keys())
    not_asked = len(truth) - len(names)
    return Evaluation(names, metres, degrees, tuple(thresholds), len(fallbacks), unknown, not_asked, unit)


def _errors(
    names: Sequence[str], found: Mapping[str, Rigid], truth: Mapping[str, Rigid]
) -> tuple[Float64[np.ndarray, "q"], Float64[np.ndarray, "q"]]:
    """Metres and degrees of every query, infinite without a pose."""
    metres, degrees = np.full((2, len(names)), np.inf)
    rows = [row for row, name in enumerate(names) if name in found]
    estimated, true = (Rigid.stack([poses[names[row]] for row in rows]) for poses in (found, truth))
    metres[rows], radians = pose_errors(estimated, true)
    degrees[rows] = np.degrees(radians)
    return metres, degrees
