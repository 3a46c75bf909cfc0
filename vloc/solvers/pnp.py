"""Settings of a pose from 2D-3D matches, what is known of the intrinsics found with it, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Bool, Float64
from ..data.capture import EXIF, GUESSED
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .pose_refinement import focal_sigma
from .poselib import Options
from .robust_minimum import Prior

GUESSED_FOCAL_ERROR = 0.5
"""standard deviation of ln(focal length) of a guess: two thirds of all lenses are within a factor of 1.65"""
DISTORTION_ERROR = 0.1
"""standard deviation of the first distortion parameter of a lens of which nothing is known"""
CENTER_ERROR = 0.005
"""of the image's longer side; standard deviation of a principal point of which nothing is known"""
ASPECT_ERROR = 0.001
"""standard deviation of ln(fy / fx); resized copies are off by the rounding of their size"""


@dataclass(frozen=True)
class PnpConfig:
    """When a match agrees with a pose, and when a pose is believed."""

    max_error_px: Annotated[float, msgspec.Meta(gt=0)] = 8.0
    """px; matches that reproject further away are outliers"""
    min_inliers: Annotated[int, msgspec.Meta(ge=4)] = 12
    """matches; with fewer inliers there is no pose"""
    min_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    """probability; poses that are less likely to be right are refused; 0 refuses none"""
    success_probability: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.9999
    """probability; sampling ends when a better pose is less likely than the rest"""
    max_iterations: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """samples at most"""
    min_iterations: Annotated[int, msgspec.Meta(ge=1)] = 100
    """samples at least"""
    loss_scale_px: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """px; scale of the Cauchy loss of the refinement"""
    refine: Literal["auto", "none", "focal", "distortion", "all"] = "auto"
    """intrinsics found with the pose: the focal length, distortion too, principal point and pixel aspect too (all);
    auto: none of those that are calibrated or given, all of those from EXIF and of guesses"""
    focal_error: Annotated[float, msgspec.Meta(gt=0)] = 0.05
    """relative; standard deviation of focal lengths from EXIF, which draw the refined ones to them"""
    max_focal_error: Annotated[float, msgspec.Meta(gt=0)] = 0.06
    """relative; no pose where the focal length found with it has a larger standard deviation; what EXIF says passes"""


@dataclass(frozen=True, eq=False)
class PnpResult:
    """A pose with its evidence, or None with the reason.

    `covariance`: of (rotation, translation, free intrinsics) as in `RefinedPose`, for exact poses of the map;
    `by_point`: their derivative by every match's point, 0 for matches left out. `camera`: the intrinsics that the pose
    goes with.
    """

    cam_from_world: Rigid | None
    inliers: Bool[np.ndarray, "m"]
    covariance: Float64[np.ndarray, "k k"] | None = None
    reason: str = ""
    camera: Camera | None = None
    by_point: Float64[np.ndarray, "m k 3"] | None = None

    @property
    def pose_covariance(self) -> Float64[np.ndarray, "6 6"] | None:
        """Of (rotation, translation) alone."""
        return None if self.covariance is None else self.covariance[:6, :6]

    @property
    def focal_sigma(self) -> float:
        """Standard deviation of ln(focal length); 0 where the intrinsics were taken as exact."""
        return focal_sigma(self.covariance)

    @property
    def num_inliers(self) -> int:
        """How many matches agree with the pose."""
        return int(self.inliers.sum())


def ransac_options(config: PnpConfig, seed: int) -> tuple[Options, Options]:
    """PoseLib's options of sampling and of the refinement after it.

    The latter takes a few steps only: our own begins there and goes to the end, in the pixels of any camera.
    """
    ransac = {
        "max_reproj_error": config.max_error_px,
        "max_iterations": config.max_iterations,
        "seed": seed,
        "min_iterations": min(config.min_iterations, config.max_iterations),
        "success_prob": config.success_probability,
    }
    return ransac, {"loss_type": "CAUCHY", "loss_scale": config.loss_scale_px, "max_iterations": 5}


def intrinsics_prior(config: PnpConfig, camera: Camera, focal_source: str) -> Prior:
    """How far the intrinsics of a camera may be off; () where they are taken as exact."""
    is_rough = focal_source == GUESSED or focal_source.startswith(EXIF)
    refine = {True: "all", False: "none"}[is_rough] if config.refine == "auto" else config.refine
    focal = GUESSED_FOCAL_ERROR if focal_source == GUESSED else config.focal_error
    center = CENTER_ERROR * max(camera.width, camera.height)
    errors = focal, DISTORTION_ERROR, center, center, ASPECT_ERROR
    return errors[: {"none": 0, "focal": 1, "distortion": 2, "all": len(errors)}[refine]]
