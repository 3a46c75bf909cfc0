"""What localization says of one query: a pose with its evidence, or none with a reason. Never a lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid
from .features import Arrays

Source = Literal["pnp", "rig", "sequence", "retrieval", "none"]


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """The pose of one query and where it comes from.

    `covariance`: of (rotation 3, translation 3), radians and metres, of the left perturbation
    `Exp(xi) @ cam_from_world`: the translation block is the camera centre's covariance in camera axes. Takes the
    map's points as exact. None where there is no pose. `reason` says why there is none.
    """

    name: str
    cam_from_world: Rigid | None
    source: Source
    num_inliers: int = 0
    num_matches: int = 0
    covariance: Float64[np.ndarray, "6 6"] | None = None
    retrieved: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""

    @property
    def is_localized(self) -> bool:
        """Whether there is a pose."""
        return self.cam_from_world is not None

    def to_arrays(self) -> Arrays:
        """The stored form; the pose and its covariance have no rows where there is no pose."""
        poses = [self.cam_from_world] if self.cam_from_world is not None else []
        text = [self.source, self.name, self.reason, *self.retrieved]
        return {
            "rotation": np.array([pose.rotation for pose in poses]).reshape(-1, 3, 3),
            "translation": np.array([pose.translation for pose in poses]).reshape(-1, 3),
            "covariance": np.array([self.covariance] if self.covariance is not None else []).reshape(-1, 6, 6),
            "counts": np.array([[self.num_inliers, self.num_matches]]),
            "text": np.frombuffer("\n".join(text).encode(), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PoseEstimate:
        """The inverse of `to_arrays`."""
        text: list[Any] = arrays["text"].tobytes().decode().split("\n")
        source, name, reason, *retrieved = text
        pose = Rigid(arrays["rotation"], arrays["translation"])
        inliers, matches = arrays["counts"][0].tolist()
        covariance = arrays["covariance"][0] if len(arrays["covariance"]) else None
        return cls(
            name,
            pose[0] if len(pose) else None,
            source,
            inliers,
            matches,
            covariance,
            tuple(retrieved),
            reason=reason,
        )
