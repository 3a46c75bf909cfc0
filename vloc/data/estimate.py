"""What localization says of one query: a pose with its evidence, or none with a reason. Never a lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid

Source = Literal["pnp", "rig", "sequence", "retrieval", "none"]


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """The pose of one query and where it comes from.

    `covariance`: of (rotation 3, translation 3), radians and metres, as a left perturbation of `cam_from_world`;
    None where there is no pose. `reason` says why there is none.
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
