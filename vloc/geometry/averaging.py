"""The mean of rigid transforms of which some are wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float64
from .rigid import Rigid

TURNS, SMALLEST_STEP = 100, 1e-10
"""of Weiszfeld's algorithm, and the step (radians, metres) from which it rests"""
INLIER_MEDIANS = 3.0
"""residuals up to so many times the median one agree, in rotation and in translation"""
EXACT = 1e-9
"""radians and metres; residuals below are rounding"""
SCORED = 100
"""transforms that the start is chosen from"""


@dataclass(frozen=True, eq=False)
class RobustMean:
    """A mean, how far each transform is from it, in rotation (radians) and translation (metres), and which agree."""

    mean: Rigid
    radians: Float64[np.ndarray, "n"]
    metres: Float64[np.ndarray, "n"]
    agrees: Bool[np.ndarray, "n"]


def robust_mean(transforms: Rigid) -> RobustMean:
    """The mean of those (n of them, one at least) that are near the median of all; up to half may be wrong.

    Medians are geodesic L1 means by Weiszfeld's algorithm (rotations: Hartley, Aftab and Trumpf, CVPR 2011).
    """
    median = Rigid(rotation_median(transforms.rotation), geometric_median(transforms.translation))
    near = _residuals(transforms, median)
    agrees = np.all([part <= INLIER_MEDIANS * np.median(part) + EXACT for part in near], axis=0)
    if not agrees.any():
        agrees = np.ones(len(transforms), bool)
    mean = Rigid(_rotation_mean(transforms.rotation[agrees]), transforms.translation[agrees].mean(axis=0))
    return RobustMean(mean, *_residuals(transforms, mean), agrees)


def rotation_median(rotations: Float64[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "3 3"]:
    """The rotation with the smallest sum of angles to all."""
    from scipy.spatial.transform import Rotation

    every = Rotation.from_matrix(rotations)
    some = every[np.linspace(0, len(every) - 1, min(len(every), SCORED)).astype(int)]
    found = min(some, key=lambda one: float((every * one.inv()).magnitude().sum()))
    for _ in range(TURNS):
        away = (every * found.inv()).as_rotvec()
        step = _weighed(away)
        found = Rotation.from_rotvec(step) * found
        if np.linalg.norm(step) < SMALLEST_STEP:
            break
    matrix: Float64[np.ndarray, "3 3"] = found.as_matrix()
    return matrix


def geometric_median(points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3"]:
    """The place with the smallest sum of distances to all."""
    some = points[np.linspace(0, len(points) - 1, min(len(points), SCORED)).astype(int)]
    found = some[np.argmin([np.linalg.norm(points - one, axis=1).sum() for one in some])]
    for _ in range(TURNS):
        step = _weighed(points - found)
        found = found + step
        if np.linalg.norm(step) < SMALLEST_STEP:
            break
    return found


def _weighed(away: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3"]:
    """The mean of differences, each weighed by the inverse of its length: a step of Weiszfeld's algorithm."""
    weights = 1 / np.maximum(np.linalg.norm(away, axis=1), EXACT)
    step: Float64[np.ndarray, "3"] = weights @ away / weights.sum()
    return step


def _rotation_mean(rotations: Float64[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "3 3"]:
    from scipy.spatial.transform import Rotation

    matrix: Float64[np.ndarray, "3 3"] = Rotation.from_matrix(rotations).mean().as_matrix()
    return matrix


def _residuals(transforms: Rigid, mean: Rigid) -> tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n"]]:
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_matrix(transforms.rotation @ mean.rotation.T).magnitude()
    return turned, np.linalg.norm(transforms.translation - mean.translation, axis=1)
