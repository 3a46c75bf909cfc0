"""The picture of several ways to place the same queries."""

from pathlib import Path

import numpy as np


def draw(
    path: Path, errors: dict[str, list[float]], scale: float = 100.0, of: str = "error of the camera's centre, cm"
) -> None:
    """How large a part of the queries each way places within how many centimetres (of metres, unless told)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for way, found in errors.items():
        placed = scale * np.sort(found)
        axes.step(placed, 100 * np.arange(1, len(placed) + 1) / len(placed), where="post", label=way)
    axes.set(xscale="log", xlabel=of, ylabel="queries, %", ylim=(0, 100))
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path)
