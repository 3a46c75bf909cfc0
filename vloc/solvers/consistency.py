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
    """`kept`: rows of the poses that go together; `jumps`: whether the step to each from the one before is a jump.

    `worse`: of every row, how much more the best path costs that goes through it; 0 for those that are kept.
    """

    kept: Int64[np.ndarray, "k"]
    jumps: Bool[np.ndarray, "k"]
    worse: Float64[np.ndarray, "i"]


def connected(confidences: Float64[np.ndarray, "i"], costs: StepCosts) -> Connected:
    """The poses (rows, in time) that go together; one that is believed less is left out more easily."""
    steps, prices = _steps(len(confidences), costs), LEFT_OUT * confidences
    best, came_from = _paths(prices, steps)
    onwards, _ = _paths(prices[::-1], _backwards(steps))
    through = best + onwards[::-1]
    kept = _path(came_from, prices, best)
    jumps = [first >= 0 and steps[row, row - first - 1] >= JUMP for first, row in zip([-1, *kept], kept, strict=False)]
    return Connected(np.array(kept, np.int64), np.array(jumps, bool), through - through.min(initial=np.inf))


def _steps(count: int, costs: StepCosts) -> Float64[np.ndarray, "i l"]:
    """The cost of the step to every row from so many rows before."""
    found = np.full((count, LONGEST + 1), JUMP)
    for apart in range(1, min(LONGEST + 1, count - 1) + 1):
        rows = np.arange(apart, count)
        found[rows, apart - 1] = np.minimum(costs(rows - apart, rows), JUMP)
    return found


def _backwards(steps: Float64[np.ndarray, "i l"]) -> Float64[np.ndarray, "i l"]:
    """The same of the rows in reverse."""
    found = np.full_like(steps, JUMP)
    for apart in range(1, min(steps.shape[1], len(steps) - 1) + 1):
        found[apart:, apart - 1] = steps[apart:, apart - 1][::-1]
    return found


def _paths(
    prices: Float64[np.ndarray, "i"], steps: Float64[np.ndarray, "i l"]
) -> tuple[Float64[np.ndarray, "i"], Int64[np.ndarray, "i"]]:
    """What the best path to every row costs, and the row that it comes from, -1 at its begin."""
    before = np.concatenate([[0.0], np.cumsum(prices)])
    best, came_from = before[:-1].copy(), np.full(len(prices), -1)
    for row in range(1, len(prices)):
        first = np.arange(row - 1, max(row - 1 - steps.shape[1], -1), -1)
        totals = best[first] + before[row] - before[first + 1] + steps[row, : len(first)]
        if totals.min() < best[row]:
            best[row], came_from[row] = totals.min(), first[totals.argmin()]
    return best, came_from


def _path(
    came_from: Int64[np.ndarray, "i"], prices: Float64[np.ndarray, "i"], best: Float64[np.ndarray, "i"]
) -> list[int]:
    """Rows of the best path to the end, in order."""
    found = []
    row = int(np.argmin(best - np.cumsum(prices))) if len(best) else -1
    while row >= 0:
        found.append(row)
        row = int(came_from[row])
    return found[::-1]
