"""Where queries were lost on the way to a pose, and what those that arrived have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Float64
from ..data.estimate import PoseEstimate
from .svg import plain, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = (
    ("queries", ""),
    ("photo taken, map images retrieved", "the photo: broken, refused, or without features"),
    ("enough matches", "matching: too few matches with the retrieved images"),
    ("a pose found", "geometry: no pose agrees with enough matches"),
    ("the pose believed", "evidence: the pose that was found is refused"),
)
"""what queries have come to, and what those that did not come there were lost to"""
FOUND, LOST = "#3b6ea5", "#e4572e"


def reached(estimate: PoseEstimate, min_matches: int) -> int:
    """How many of the steps after the first a query has come to."""
    if estimate.is_localized:
        return len(STEPS) - 1
    if not estimate.retrieved:
        return 0
    if estimate.num_matches < min_matches:
        return 1
    return 2 if estimate.evidence is None else 3


def funnel(estimates: Sequence[PoseEstimate], min_matches: int) -> list[tuple[str, int, str]]:
    """Each step with how many queries came to it, and what was lost before it."""
    steps = [reached(estimate, min_matches) for estimate in estimates]
    rows = []
    for place, (name, loss) in enumerate(STEPS):
        lost = sum(step == place - 1 for step in steps)
        rows.append((name, sum(step >= place for step in steps), f"{lost} lost to {loss}" if lost else ""))
    return rows


def histograms(estimates: Sequence[PoseEstimate], errors_px: Float64[np.ndarray, "e"]) -> str:
    """SVG of how many matches agree with each query's pose, how sure it is, and how far matches are off it (px)."""
    return svg(9.6, 2.5, lambda figure: _draw(figure, estimates, errors_px))


def _draw(figure: Figure, estimates: Sequence[PoseEstimate], errors_px: Float64[np.ndarray, "e"]) -> None:
    parts = [[e for e in estimates if e.is_localized], [e for e in estimates if not e.is_localized]]
    inliers, sure, apart = figure.subplots(1, 3)
    counts = [[max(e.num_inliers, 1) for e in part] for part in parts]
    bins = np.geomspace(1, max([10, *counts[0], *counts[1]]) * 1.01, 25)
    inliers.hist(counts, bins, stacked=True, color=[FOUND, LOST], label=["localized", "not"])
    inliers.set(xscale="log", xlabel="matches that agree", ylabel="queries")
    inliers.legend(frameon=False)
    confidence = [[e.confidence for e in part] for part in parts]
    sure.hist(confidence, np.linspace(0, 1, 21), stacked=True, color=[FOUND, LOST])
    sure.set(xlabel="confidence", ylabel="queries")
    apart.hist(errors_px, np.linspace(0, max(errors_px.max(initial=1.0), 1.0), 33), color=FOUND)
    apart.set(xlabel="reprojection error, px", ylabel="matches")
    for axes in (inliers, sure, apart):
        plain(axes)
