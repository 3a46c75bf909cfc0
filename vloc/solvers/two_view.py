"""Which matches of two images agree with one rigid scene, when the poses are unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Bool, Float64
from ..geometry.camera import Camera
from . import poselib


@dataclass(frozen=True)
class TwoViewConfig:
    """When a match agrees with the motion between two images, and when that motion is believed."""

    max_error: Annotated[float, msgspec.Meta(gt=0)] = 3.0
    """px; Sampson distance from the epipolar geometry beyond which a match is an outlier"""
    min_inliers: Annotated[int, msgspec.Meta(ge=8)] = 15
    """matches; a pair with fewer inliers keeps none"""
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.9999
    """probability; sampling ends when a better motion is less likely than the rest"""
    max_iterations: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    """samples at most"""


def verify_with_ransac(
    points1: Float64[np.ndarray, "m 2"],
    camera1: Camera,
    points2: Float64[np.ndarray, "m 2"],
    camera2: Camera,
    config: TwoViewConfig,
    seed: int = 0,
    *,
    trust_intrinsics: bool = True,
) -> Bool[np.ndarray, "m"]:
    """The inliers among matched pixels by PoseLib's LO-RANSAC; none where they are fewer than `min_inliers`.

    With trusted intrinsics by a relative pose (five points), otherwise a fundamental matrix (seven points).

    DataError for input that is not finite, of unequal lengths, or without intrinsics where these are trusted.
    """
    options = {
        "max_epipolar_error": config.max_error,
        "max_iterations": config.max_iterations,
        "seed": seed,
        "min_iterations": min(100, config.max_iterations),
        "success_prob": config.confidence,
    }
    if len(points1) == len(points2) < config.min_inliers:
        return np.zeros(len(points1), bool)
    if trust_intrinsics:
        inliers = poselib.relative_pose_inliers(points1, camera1, points2, camera2, options)
    else:
        inliers = poselib.fundamental_inliers(points1, points2, options)
    return inliers if inliers.sum() >= config.min_inliers else np.zeros(len(inliers), bool)
