"""What a page says of every query, and of all of them, in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.estimate import PoseEstimate
from ..data.frame import Unit
from ..map import Map
from ..stages.evaluate import Evaluation, Threshold
from ..stages.significance import Difference, differences, interval
from . import template


@dataclass(frozen=True)
class Row:
    """One query as the page shows it."""

    label: str
    estimate: PoseEstimate
    translation_m: float | None
    """error; None where there is no truth, infinite where there is no pose"""
    rotation_deg: float | None

    @property
    def accuracy(self) -> str:
        """The error for people."""
        if self.translation_m is None or self.rotation_deg is None:
            return "no truth"
        return _error(self.translation_m, self.rotation_deg, self.estimate.unit)

    @property
    def verdict(self) -> str:
        """The line under the query's name."""
        e = self.estimate
        if not e.is_localized:
            return f"not localized: {e.reason}"
        how = "" if e.source == "pnp" else f" (by {e.source})"
        return f"{self.accuracy}{how} · {e.num_inliers} of {e.num_matches} matches agree"


def ordered(estimates: Sequence[PoseEstimate], evaluation: Evaluation | None) -> list[Row]:
    """Failures first, then by falling error; labels count in this order."""
    errors = {}
    if evaluation:
        errors = dict(
            zip(evaluation.names, zip(evaluation.translation_m, evaluation.rotation_deg, strict=True), strict=True)
        )
    rows = [Row("", e, *errors.get(e.name, (None, None))) for e in estimates]
    rows.sort(key=lambda row: (row.estimate.is_localized, -(row.translation_m or 0.0), row.estimate.name))
    return [Row(str(i), row.estimate, row.translation_m, row.rotation_deg) for i, row in enumerate(rows, 1)]


def figures(map_: Map, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """The (value, caption) pairs at the top."""
    sparse, known = map_.sparse, [row for row in rows if row.translation_m is not None]
    errors = np.array([(row.translation_m, row.rotation_deg) for row in known]).reshape(-1, 2)
    localized = sum(row.estimate.is_localized for row in rows)
    accuracy = []
    if known:
        median, largest, unit = np.median(errors, axis=0), errors.max(axis=0), map_.frame.unit
        accuracy = [
            (_error(median[0], median[1], unit), "median error of position and rotation"),
            (_error(largest[0], largest[1], unit), "largest errors"),
        ]
    return [
        (f"{localized} of {len(rows)}", "queries localized"),
        *accuracy,
        (
            f"{len(sparse.points):,} points",
            f"mapped from {len(sparse.image_names)} images, mean error {sparse.mean_error:.2f} px",
        ),
    ]


def table(rows: Sequence[Row]) -> str:
    """Every query in a line, as HTML."""
    head = ("", "query", "error", "matches that agree", "of", "map images", "seconds")
    return template.table(
        head,
        [
            (
                row.label,
                row.estimate.name,
                row.accuracy if row.estimate.is_localized else "not localized",
                str(row.estimate.num_inliers),
                str(row.estimate.num_matches),
                str(len(row.estimate.retrieved)),
                f"{row.estimate.seconds:.2f}" if row.estimate.seconds else "-",
            )
            for row in rows
        ],
    )


def scores(named: Mapping[str, Evaluation]) -> str:
    """Runs or conditions in a line each, as HTML: recalls with where 95 of 100 would be."""
    first = next(iter(named.values()))
    head = ["", "localized", "of", "median", *(_within(threshold) for threshold in first.thresholds)]
    return template.table(head, [_score(name, found) for name, found in named.items()], frozenset({0}))


def _score(name: str, found: Evaluation) -> list[str]:
    recall = []
    for hits in found.hits:
        low, high = interval(hits)
        recall.append(f"{100 * hits.mean():.1f} % ({low:.0f} to {high:.0f})")
    median = _error(float(np.median(found.translation_m)), float(np.median(found.rotation_deg)), found.unit)
    return [name, str(found.num_localized), str(len(found.names)), median, *recall]


def changes(named: Mapping[str, Evaluation]) -> str:
    """Every run but the first against it, as HTML: points of recall, and how likely by chance."""
    (name, first), *others = named.items()
    head = [f"less {name}", *(_within(threshold) for threshold in first.thresholds)]
    rows = [[other, *map(_told, differences(first, found))] for other, found in others]
    return template.table(head, rows, frozenset({0}))


def _told(apart: Difference) -> str:
    return f"{apart.percent:+.1f} ({len(apart.gained)} gained, {len(apart.lost)} lost), by chance {apart.chance:.2g}"


def _within(threshold: Threshold) -> str:
    return f"within {threshold[0]:g} m, {threshold[1]:g}°"


def _error(length: float, degrees: float, unit: Unit) -> str:
    if not np.isfinite(length):
        return "no pose"
    if unit != "m":
        return f"{length:#.3g} {unit}, {degrees:.3f}°"
    centimetres = f"{100 * length:.2f}" if length >= 0.01 else f"{100 * length:#.2g}"
    return f"{centimetres} cm, {degrees:.3f}°"
