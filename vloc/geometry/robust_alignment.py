"""The similarity between two sets of cameras of which some do not agree, with how sure it is.

Least median of squares (Rousseeuw 1984) over minimal samples, which needs no threshold and bears up to half of wrong
pairs; then least squares on those that agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from ..array_types import Bool, Float64, Int64
from .alignment import Similarity, align, turned_like

MIN_CAMERAS = 3
MAX_SAMPLES = 500
SCORED = 2000
"""cameras that a sample is scored on at most"""
INLIER_MEDIANS = 2.5
"""residuals up to so many medians agree: 99.7 % of an isotropic normal error in space"""
REFITS = 20
EXACT = 1e-9
"""of the extent; residuals below this are rounding"""


@dataclass(frozen=True, eq=False)
class RobustAlignment:
    """`residuals`: distances of the moved sources from their targets, in target units. At least half agree."""

    target_from_source: Similarity
    residuals: Float64[np.ndarray, "n"]
    agrees: Bool[np.ndarray, "n"]
    extent: float
    """root mean square distance of the agreeing targets from their mean"""
    breadth: float
    """the same, from the straight line that fits them best"""

    @property
    def spread(self) -> float:
        """Root mean square residual of the cameras that agree; 7 of the numbers have been fitted."""
        own = self.residuals[self.agrees]
        return float(np.sqrt((own**2).sum() / max(len(own) - 7 / 3, 1)))

    @property
    def scale_error(self) -> float:
        """Standard deviation of the scale, as a part of it."""
        return self.spread / np.sqrt(3) / (self.extent * np.sqrt(self.agrees.sum()))

    @property
    def turn_error(self) -> float:
        """Standard deviation of the least certain angle of the rotation as centres alone fix it, radians."""
        return self.spread / np.sqrt(3) / max(self.breadth * np.sqrt(self.agrees.sum()), 1e-300)


def align_robustly(
    source: Float64[np.ndarray, "n 3"],
    target: Float64[np.ndarray, "n 3"],
    rotations: Float64[np.ndarray, "n 3 3"] | None = None,
    *,
    seed: int,
) -> RobustAlignment:
    """`target_from_source` of camera centres; `rotations`: what each camera alone says of its rotation, where known.

    ValueError: fewer than three cameras, all in one place, or, without rotations, on one line.
    """
    _check(source, target, rotations)
    rows = np.unique(np.linspace(0, len(source) - 1, min(len(source), SCORED)).astype(np.int64))
    fits = (_fit(source, target, rotations, sample) for sample in _samples(len(source), rotations is not None, seed))
    scored = [
        (float(np.median(_residuals(fit, source[rows], target[rows]))), i, fit) for i, fit in enumerate(fits) if fit
    ]
    if not scored:
        raise ValueError("the cameras are in one place or on one line: no three of them fix a rotation")
    return _refined(min(scored)[2], source, target, rotations)


def _check(source: np.ndarray, target: np.ndarray, rotations: np.ndarray | None) -> None:
    if len(source) < MIN_CAMERAS:
        raise ValueError(f"{len(source)} images in common, at least {MIN_CAMERAS} are needed")
    for points in (source, target):
        sides = np.linalg.svd(points - points.mean(0), compute_uv=False)
        if not sides[0] > 1e-9 * np.abs(points).max(initial=1e-300):
            raise ValueError("all images were taken from one place: it has no size to tell a scale by")
        if rotations is None and not sides[1] > 1e-6 * sides[0]:
            raise ValueError("all images were taken on one line: the rotation about it is free")


def _samples(count: int, has_rotations: bool, seed: int) -> Iterator[Int64[np.ndarray, "k"]]:
    """Rows of minimal sets: all of them where they are few."""
    size = 2 if has_rotations else 3
    if comb(count, size) <= MAX_SAMPLES:
        yield from (np.array(rows) for rows in combinations(range(count), size))
        return
    rng = np.random.default_rng(seed)
    for _ in range(MAX_SAMPLES):
        yield rng.choice(count, size, replace=False)


def _fit(source: np.ndarray, target: np.ndarray, rotations: np.ndarray | None, rows: np.ndarray) -> Similarity | None:
    """Least squares on some cameras, or None where they fix nothing."""
    if rotations is None:
        try:
            return align(source[rows], target[rows])
        except ValueError:
            return None
    source, target = source[rows], target[rows]
    a, b = source - source.mean(0), target - target.mean(0)
    lengths = np.sqrt((a**2).sum() * (b**2).sum())
    if not lengths > 0:
        return None
    # Centres, as a whole, count as much as the cameras' rotations.
    fit = turned_like(len(rows) * (b.T @ a) / lengths + rotations[rows].sum(0), source, target)
    return fit if fit.scale > 0 else None


def _residuals(fit: Similarity, source: np.ndarray, target: np.ndarray) -> Float64[np.ndarray, "n"]:
    distances: np.ndarray = np.linalg.norm(fit.apply(source) - target, axis=1)
    return distances


def _refined(fit: Similarity, source: np.ndarray, target: np.ndarray, rotations: np.ndarray | None) -> RobustAlignment:
    """Least squares on the cameras that agree, until they stay the same."""
    agrees = np.zeros(len(source), bool)
    exact = EXACT * float(np.abs(target - target.mean(0)).max())
    for _ in range(REFITS):
        residuals = _residuals(fit, source, target)
        before, agrees = agrees, residuals <= _limit(residuals) + exact
        better = _fit(source, target, rotations, np.flatnonzero(agrees))
        if better is None or np.array_equal(before, agrees):
            break
        fit = better
    sides = np.linalg.svd(target[agrees] - target[agrees].mean(0), compute_uv=False)
    extent, breadth = (float(np.sqrt((part**2).sum() / agrees.sum())) for part in (sides, sides[1:]))
    return RobustAlignment(fit, _residuals(fit, source, target), agrees, extent, breadth)


def _limit(residuals: np.ndarray) -> float:
    """Rousseeuw and Leroy 1987: medians of few residuals after a fit are too small."""
    return float(INLIER_MEDIANS * (1 + 5 / max(len(residuals) - 3, 1)) * np.median(residuals))
