"""Which of a body's poses go together: those that a motion connects at least cost, and where it must have jumped.

A shortest path through the poses in time. It pays for every step what this is worse than expected, but never more than
a jump costs; for every pose that it leaves out, as much as a step that happens once in a million times. So a wrong pose
or a few in a row are left out, while a body that was carried away, or an odometry that slipped, jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float64, Int64
from .rig_consensus import LEFT_OUT

JUMP = 3 * LEFT_OUT
"""so that five poses in a row that contradict those around them are left out, and more are not"""
LONGEST = 6
"""poses left out in a row, at most"""

StepCosts = Callable[[Int64[np.ndarray, "k"], Int64[np.ndarray, "k"]], Float64[np.ndarray, "k"]]
"""of steps between rows: squared Mahalanobis distance of each from what was expected"""


@dataclass(frozen=True, eq=False)
class Connected:
    """`kept`: rows of the poses that go together; `jumps`: whether the step to each from the one before is a jump."""

    kept: Int64[np.ndarray, "k"]
    jumps: Bool[np.ndarray, "k"]


def connected(confidences: Float64[np.ndarray, "i"], costs: StepCosts) -> Connected:
    """The poses (rows, in time) that go together; one that is believed less is left out more easily."""
    count = len(confidences)
    left_out = np.concatenate([[0.0], np.cumsum(LEFT_OUT * confidences)])  # before every row
    best, came_from = left_out[:-1].copy(), np.full(count, -1)
    steps = _steps(count, costs)
    for row in range(count):
        for apart in range(1, min(row, LONGEST + 1) + 1):
            first = row - apart
            cost = best[first] + left_out[row] - left_out[first + 1] + steps[row, apart - 1]
            if cost < best[row]:
                best[row], came_from[row] = cost, first
    last = int(np.argmin(best + left_out[-1] - left_out[1:])) if count else -1
    kept = _path(came_from, last)
    jumps = [first >= 0 and steps[row, row - first - 1] >= JUMP for first, row in zip([-1, *kept], kept, strict=False)]
    return Connected(np.array(kept, np.int64), np.array(jumps, bool))


def _steps(count: int, costs: StepCosts) -> Float64[np.ndarray, "i l"]:
    """The cost of the step to every row from so many rows before."""
    found = np.full((count, LONGEST + 1), JUMP)
    for apart in range(1, min(LONGEST + 1, count - 1) + 1):
        rows = np.arange(apart, count)
        found[rows, apart - 1] = np.minimum(costs(rows - apart, rows), JUMP)
    return found


def _path(came_from: Int64[np.ndarray, "i"], last: int) -> list[int]:
    """Rows from the first to the last."""
    found = []
    while last >= 0:
        found.append(last)
        last = int(came_from[last])
    return found[::-1]
