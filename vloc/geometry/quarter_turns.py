"""Images turned clockwise by quarter turns, and where their places were before."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, Shaped


def turned(image: Shaped[np.ndarray, "h w *c"], quarter_turns: int) -> Shaped[np.ndarray, "h2 w2 *c"]:
    """The image turned clockwise; itself where nothing turns."""
    return np.ascontiguousarray(np.rot90(image, -quarter_turns)) if quarter_turns else image


def turned_back(
    places: Float32[np.ndarray, "n 2"], quarter_turns: int, shape: tuple[int, int]
) -> Float32[np.ndarray, "n 2"]:
    """Places in an image, px, of those in the turned image, whose height and width are `shape`.

    Both measure from their image's corner: no half pixel moves.
    """
    height, width = shape
    x, y = places.T
    back = [(x, y), (y, width - x), (width - x, height - y), (height - y, x)][quarter_turns]
    return np.stack(back, axis=1)


def wrapped(angles: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
    """The same angles in (-pi, pi], radians."""
    turns: Float32[np.ndarray, "n"] = np.ceil(angles / np.float32(2 * np.pi) - np.float32(0.5))
    return angles - np.float32(2 * np.pi) * turns


def angles_turned_back(angles: Float32[np.ndarray, "n"], quarter_turns: int) -> Float32[np.ndarray, "n"]:
    """Directions in an image, radians from x towards y, of those in the turned image."""
    return wrapped(angles - np.float32(quarter_turns * np.pi / 2))
