"""One pose of a rig from the poses that its cameras found alone; the others follow through the known mounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..geometry.motion import by_motion, motion_of
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid

SMALLEST_SIGMA = 1e-6
"""radians and metres; poses are never taken to be surer, so that none decides alone"""

LEFT_OUT = 38.0
"""squared Mahalanobis distance of six numbers that one in a million exceeds"""


@dataclass(frozen=True, eq=False)
class Belief:
    """A pose of a rig, the covariance of its left perturbation (rotation, translation), and how far it is believed."""

    rig_from_world: Rigid
    covariance: Float64[np.ndarray, "6 6"]
    confidence: float

    def seen_from(self, mount: Rigid) -> Belief:
        """Of the sensor that is mounted so (`sensor_from_rig`)."""
        adjoint = mount.adjoint
        return Belief(mount @ self.rig_from_world, adjoint @ self.covariance @ adjoint.T, self.confidence)

    def agrees(self, other: Belief, metres: float, degrees: float) -> bool:
        """Whether two poses are so near to each other."""
        apart, turned = pose_errors(self.rig_from_world, other.rig_from_world)
        return bool(apart <= metres and np.degrees(turned) <= degrees)

    def contradicts(self, other: Belief) -> bool:
        """Whether they differ by more than happens by chance, one in a million, by their covariances."""
        off = motion_of(self.rig_from_world @ other.rig_from_world.inverse())
        return bool(off @ np.linalg.solve(self.covariance + other.covariance, off) > LEFT_OUT)


def consensus(beliefs: Sequence[Belief], metres: float, degrees: float) -> tuple[Belief, list[int]]:
    """The pose that most is believed of, and which (places) agree with it: their mean, weighed by their covariances."""
    sides = [[i for i, other in enumerate(beliefs) if one.agrees(other, metres, degrees)] for one in beliefs]
    best = max(range(len(beliefs)), key=lambda i: (sum(beliefs[k].confidence for k in sides[i]), beliefs[i].confidence))
    return mean([beliefs[i] for i in sides[best]], beliefs[best].rig_from_world), sides[best]


def mean(beliefs: Sequence[Belief], around: Rigid) -> Belief:
    """The likeliest pose of independent ones, to first order around one of them; believed as the surest of them.

    Where they differ by more than their covariances allow, its own is as much larger (Birge 1932).
    """
    least = SMALLEST_SIGMA**2 * np.eye(6)
    weights = [np.linalg.inv(belief.covariance + least) for belief in beliefs]
    steps = [motion_of(belief.rig_from_world @ around.inverse()) for belief in beliefs]
    covariance = np.linalg.inv(np.sum(weights, axis=0))
    step = covariance @ np.sum([weight @ step for weight, step in zip(weights, steps, strict=True)], axis=0)
    off = [one - step for one in steps]
    chi_square = sum(float(one @ weight @ one) for weight, one in zip(weights, off, strict=True))
    covariance = covariance * max(1.0, chi_square / (6 * (len(beliefs) - 1))) if len(beliefs) > 1 else covariance
    return Belief(by_motion(step) @ around, covariance, max(belief.confidence for belief in beliefs))
