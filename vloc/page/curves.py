"""How accurate poses are, as curves: what share of the queries is within how many metres, and degrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Float64
from ..stages.evaluate import Evaluation
from .svg import SOFT, plain, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#1d2733", "#e4572e", "#3b6ea5", "#2f9e6e", "#8e5ea2", "#c9a227", "#4bacc6", "#9b2915")
"""of the curves, in their order; then from the start, dashed"""


def curves(named: Mapping[str, Evaluation]) -> str:
    """SVG of the cumulative errors of runs or conditions; a query without a pose never comes within anything.

    Grey lines are the limits of the recalls.
    """
    return svg(9.6, 3.3, lambda figure: _draw(figure, named))


def _draw(figure: Figure, named: Mapping[str, Evaluation]) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    first = next(iter(named.values()))
    factor, unit = (100.0, "cm") if first.unit == "m" else (1.0, first.unit)
    limits = first.thresholds if first.unit == "m" else ()
    by_axes = (
        (left, {name: factor * found.translation_m for name, found in named.items()}, [factor * t for t, _ in limits]),
        (right, {name: found.rotation_deg for name, found in named.items()}, [r for _, r in limits]),
    )
    for axes, errors, lines in by_axes:
        for row, (name, values) in enumerate(errors.items()):
            style = "-" if row < len(COLORS) else "--"
            _step(axes, values, f"{name} ({len(values)})", COLORS[row % len(COLORS)], style)
        for line in lines:
            axes.axvline(line, color=SOFT, linewidth=0.7, alpha=0.5)
        axes.set(xscale="log", ylim=(0, 103))
        plain(axes)
    left.set(xlabel=f"error of the camera's centre, {unit}", ylabel="queries, %")
    right.set(xlabel="error of the rotation, degrees")
    right.legend(loc="lower right", frameon=False)


def _step(axes: Axes, errors: Float64[np.ndarray, "q"], label: str, color: str, style: str) -> None:
    found = np.sort(errors[np.isfinite(errors)])
    found = np.concatenate([found[:1], found])  # a curve rises from 0
    share = 100 * np.arange(len(found)) / max(len(errors), 1)
    axes.step(np.maximum(found, 1e-6), share, style, where="post", color=color, label=label, linewidth=1.6)
