"""How early relevant images come in a ranking."""

from __future__ import annotations

import numpy as np

from ..array_types import Int64


def average_precision(places: Int64[np.ndarray, "p"], num_relevant: int) -> float:
    """Area under precision over recall by the trapezoid rule, as the official `compute_ap` of Oxford and Paris.

    `places`, from 0, of the relevant images that were found. Each raises recall by 1 / num_relevant; precision goes
    from that before it (1 at the top) to its own.
    """
    found = np.arange(len(places))
    before = np.where(places > 0, found / np.maximum(places, 1), 1.0)
    after = (found + 1) / (places + 1)
    return float((before + after).sum() / 2 / num_relevant)


def precision_at(places: Int64[np.ndarray, "p"], k: int) -> float:
    """Share of relevant images among the first k, or down to the last relevant one where that comes first."""
    if not len(places):
        return 0.0
    reached = min(int(places[-1]) + 1, k)
    return float((places < reached).sum() / reached)
