"""What localization says of a rig at one instant: one pose for all its images, or none with a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int64
from ..geometry.rigid import Rigid
from .evidence import Evidence
from .features import Arrays


@dataclass(frozen=True, eq=False)
class RigEstimate:
    """The pose of a rig with its evidence; fields as in `PoseEstimate`, covariance in the rig's axes.

    `counts`: inliers, matches and guided matches of every image of the instant.
    """

    rig_from_world: Rigid | None
    counts: Int64[np.ndarray, "i 3"]
    covariance: Float64[np.ndarray, "6 6"] | None = None
    confidence: float = 0.0
    evidence: Evidence | None = None
    reason: str = ""

    def to_arrays(self) -> Arrays:
        """The stored form; the pose, its covariance and its evidence have no rows where there are none."""
        pose, none = self.rig_from_world, Rigid.identity(0)
        return {
            "rotation": none.rotation if pose is None else pose.rotation[None],
            "translation": none.translation if pose is None else pose.translation[None],
            "covariance": np.zeros((0, 6, 6)) if self.covariance is None else self.covariance[None],
            "evidence": np.zeros((0, len(Evidence.NAMES))) if self.evidence is None else self.evidence.to_row()[None],
            "confidence": np.array([self.confidence]),
            "counts": self.counts,
            "reason": np.frombuffer(self.reason.encode(), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> RigEstimate:
        """The inverse of `to_arrays`."""
        pose = Rigid(arrays["rotation"], arrays["translation"])
        return cls(
            pose[0] if len(pose) else None,
            arrays["counts"],
            arrays["covariance"][0] if len(arrays["covariance"]) else None,
            float(arrays["confidence"][0]),
            Evidence.from_row(arrays["evidence"][0]) if len(arrays["evidence"]) else None,
            arrays["reason"].tobytes().decode(),
        )
