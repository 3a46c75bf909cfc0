"""From evidence to confidence: log odds learned over many places, corrected by what a map says of itself."""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float64
from ..data.evidence import Calibration, Evidence, Trials

WEIGHTS = np.array([-0.89, 0.15, 2.36, 0.98, -6.02, -0.15, 0.73])
"""of 1 and of the `terms`, by logistic regression: tests/benchmarks/bench_confidence.py --fit"""
SLOPE_PRIOR, OFFSET_PRIOR = 0.25, 1.0
"""standard deviations, around 1 and 0, of how much one place differs from the others"""
MOST = 8.0
"""log odds beyond which no evidence is believed: one pose in 3,000 is wrong for reasons that it does not show"""
NEWTON_STEPS, SMALLEST_STEP = 30, 1e-9


def log_odds(evidence: Float64[np.ndarray, "t 6"]) -> Float64[np.ndarray, "t"]:
    """Natural log odds that a pose is right, by its evidence alone; rows as `Evidence.to_row`."""
    return np.clip(terms(evidence) @ WEIGHTS, -MOST, MOST)


def terms(evidence: Float64[np.ndarray, "t 6"]) -> Float64[np.ndarray, "t 7"]:
    """What the log odds are linear in: evidence on scales on which it adds up."""
    false_alarms, agreement, coverage, rival, relative_error, quality = evidence.T
    agreement = np.clip(agreement, 0.02, 0.98)
    return np.stack(
        [
            np.ones(len(evidence)),
            np.log(np.maximum(-false_alarms, 1.0)),
            np.log(agreement / (1 - agreement)),
            np.log(coverage),
            rival,
            np.log(np.clip(relative_error, 1e-4, 1.0)),
            quality,
        ],
        axis=1,
    )


def confidence(evidence: Evidence, calibration: Calibration) -> float:
    """The probability that a pose with this evidence is right."""
    return float(_believed(evidence.to_row()[None], calibration)[0])


def likelier(confidence: float, odds: float) -> float:
    """The probability that a pose is right after independent evidence that is so many times as likely of right ones."""
    return odds * confidence / (odds * confidence + 1 - confidence)


def confidences(calibration: Calibration) -> Float64[np.ndarray, "t"]:
    """Those of a map's own trials."""
    return _believed(calibration.trials.evidence, calibration)


def _believed(evidence: Float64[np.ndarray, "t 6"], calibration: Calibration) -> Float64[np.ndarray, "t"]:
    return _logistic(calibration.slope * log_odds(evidence) + calibration.offset)


def calibrated(trials: Trials) -> Calibration:
    """Slope and offset of the log odds in a map: the maximum a posteriori of its trials (after Platt 1999)."""
    slope, offset = _fit(log_odds(trials.evidence), trials.is_right)
    return Calibration(slope, offset, trials)


def _fit(z: Float64[np.ndarray, "t"], is_right: Bool[np.ndarray, "t"]) -> tuple[float, float]:
    """Newton's method with halved steps on the convex penalised log loss."""
    design, prior = np.stack([z, np.ones_like(z)], axis=1), np.array([1.0, 0.0])
    sign, precision = np.where(is_right, -1.0, 1.0), np.array([SLOPE_PRIOR, OFFSET_PRIOR]) ** -2

    def loss(found: np.ndarray) -> float:
        return float(np.logaddexp(0, sign * (design @ found)).sum() + (precision * (found - prior) ** 2).sum() / 2)

    found = prior
    for _ in range(NEWTON_STEPS):
        p = _logistic(design @ found)
        gradient = design.T @ (p - is_right) + precision * (found - prior)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        while loss(found - step) > loss(found) and np.abs(step).max() > SMALLEST_STEP:
            step = step / 2
        found = found - step
    return max(float(found[0]), 0.0), float(found[1])


def _logistic(z: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "t"]:
    return (1 + np.tanh(z / 2)) / 2
