"""Estimated poses against true ones, the way the public benchmarks count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid

Threshold = tuple[float, float]
"""(metres, degrees)"""
THRESHOLDS: tuple[Threshold, ...] = ((0.25, 2.0), (0.5, 5.0), (5.0, 10.0))
"""of the long-term visual localization benchmark (Sattler et al., CVPR 2018)"""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Errors of every query of the truth, and what they add up to.

    A query without a pose has infinite errors: it counts against recall, and medians and maxima feel it.
    """

    names: tuple[str, ...]
    translation_m: np.ndarray
    rotation_deg: np.ndarray
    thresholds: tuple[Threshold, ...]
    num_fallbacks: int
    num_without_truth: int

    @property
    def num_localized(self) -> int:
        """Queries with a pose."""
        return int(np.isfinite(self.translation_m).sum())

    @property
    def recall(self) -> list[float]:
        """Percent of queries within both limits (inclusive), for each threshold."""
        within = [(self.translation_m <= t) & (self.rotation_deg <= r) for t, r in self.thresholds]
        return [100 * float(hits.mean()) for hits in within]

    def to_json(self) -> dict[str, Any]:
        """The figures; infinite ones are null."""
        return {
            "num_queries": len(self.names),
            "num_localized": self.num_localized,
            "num_fallbacks": self.num_fallbacks,
            "num_without_truth": self.num_without_truth,
            "median_translation_m": _finite(np.median(self.translation_m)),
            "median_rotation_deg": _finite(np.median(self.rotation_deg)),
            "max_translation_m": _finite(self.translation_m.max()),
            "max_rotation_deg": _finite(self.rotation_deg.max()),
            "recall": [
                {"translation_m": t, "rotation_deg": r, "percent": percent}
                for (t, r), percent in zip(self.thresholds, self.recall, strict=True)
            ],
        }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def evaluate(
    estimates: Mapping[str, Rigid],
    truth: Mapping[str, Rigid],
    thresholds: Sequence[Threshold] = THRESHOLDS,
    fallbacks: Collection[str] = (),
) -> Evaluation:
    """Compare `cam_from_world` poses by image name; a name may lack leading folders where that is unambiguous.

    DataError when the truth is empty, a name fits several queries, or none of the names fits.
    """
    if not truth:
        raise DataError("the truth holds no poses: nothing to compare with")
    found = {_true_name(name, truth): pose for name, pose in estimates.items()}
    if estimates and set(found) == {None}:
        raise DataError(
            f"none of the {len(estimates)} estimated names is in the truth, such as '{next(iter(estimates))}'"
        )
    names = tuple(sorted(truth))
    metres, degrees = np.full((2, len(names)), np.inf)
    rows = [row for row, name in enumerate(names) if name in found]
    estimated, true = (Rigid.stack([poses[names[row]] for row in rows]) for poses in (found, truth))
    metres[rows], radians = pose_errors(estimated, true)
    degrees[rows] = np.degrees(radians)
    unknown = sum(_true_name(name, truth) is None for name in estimates)
    return Evaluation(names, metres, degrees, tuple(thresholds), len(fallbacks), unknown)


def _true_name(name: str, truth: Mapping[str, Rigid]) -> str | None:
    if name in truth:
        return name
    fits = [known for known in truth if known.endswith("/" + name)]
    if len(fits) > 1:
        raise DataError(f"'{name}' fits {len(fits)} images of the truth, such as '{fits[0]}' and '{fits[1]}'")
    return fits[0] if fits else None
