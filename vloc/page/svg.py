"""Drawings of matplotlib as SVG text for a page."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOFT, GRID = "#60707f", "#eceff1"
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "vloc", "font.family": "sans-serif", "font.size": 9}


def svg(width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """The text of a drawing of that size, inches; equal drawings give equal text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure, text = Figure(figsize=(width, height), layout="constrained"), io.StringIO()
        draw(figure)
        figure.savefig(text, format="svg", dpi=150, metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def plain(axes: Axes) -> None:
    """Axes without a frame, on a quiet grid."""
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, colors=SOFT)
