"""What is chance in an evaluation: how far recall would be off with other queries, and whether two runs differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bool
from ..errors import DataError
from .evaluate import Evaluation

LEVEL = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True)
class Difference:
    """The second run's recall less the first's, of the same queries, percent, and where 95 of 100 bootstraps have it.

    `gained`, `lost`: queries within the threshold in one run alone. `chance`: how often runs that do not differ are at
    least so far apart (McNemar's exact test).
    """

    percent: float
    low: float
    high: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    chance: float


def interval(hits: Bool[np.ndarray, "q"]) -> tuple[float, float]:
    """Where the recall of all queries of the kind is, percent, in 95 of 100 cases (Wilson 1927).

    A bootstrap over the queries gives the same but where all or none are hits: there it knows no doubt.
    """
    from scipy.stats import binomtest

    told = binomtest(int(hits.sum()), len(hits)).proportion_ci(LEVEL, "wilson")
    return 100 * float(told.low), 100 * float(told.high)


def differences(first: Evaluation, second: Evaluation, seed: int = 0) -> list[Difference]:
    """Of two runs, for each threshold; DataError unless both were asked the same queries by the same thresholds."""
    if odd := {*first.names} ^ {*second.names}:
        raise DataError(f"{len(odd)} queries are of one run alone, such as '{min(odd)}': compare runs of the same")
    if first.thresholds != second.thresholds or first.unit != second.unit:
        raise DataError("two runs with other thresholds, or in other units, cannot be compared")
    return [_difference(first.names, *hits, seed) for hits in zip(first.hits, second.hits, strict=True)]


def _difference(
    names: tuple[str, ...], first: Bool[np.ndarray, "q"], second: Bool[np.ndarray, "q"], seed: int
) -> Difference:
    from scipy.stats import binomtest

    gained, lost = np.flatnonzero(second & ~first), np.flatnonzero(first & ~second)
    changed, count = len(gained) + len(lost), len(names)
    shares = [len(gained) / count, len(lost) / count, 1 - changed / count]
    drawn = np.random.default_rng(seed).multinomial(count, shares, RESAMPLES)  # a bootstrap's counts of each kind
    low, high = np.quantile(drawn[:, 0] - drawn[:, 1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) * 100 / count
    chance = float(binomtest(len(gained), changed).pvalue) if changed else 1.0
    won, gone = (tuple(names[row] for row in rows.tolist()) for rows in (gained, lost))
    return Difference(100 * (len(gained) - len(lost)) / count, float(low), float(high), won, gone, chance)
