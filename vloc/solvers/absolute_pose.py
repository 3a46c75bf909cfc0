"""The pose of one camera from 2D-3D matches: LO-RANSAC, then robust refinement on the inliers.

Where the intrinsics are not calibrated, focal length, one distortion parameter, principal point and pixel aspect are
found with the pose, drawn to what is known of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Bool, Float64, Int
from ..data.capture import CALIBRATED, EXIF, GUESSED
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from . import poselib
from .focal_pose import pose_and_focal
from .pose_covariance import covariance_of_map
from .pose_refinement import Prior, RefinedPose, focal_sigma, refine_pose, reprojection_errors

GUESSED_FOCAL_ERROR = 0.5
"""standard deviation of ln(focal length) of a guess: two thirds of all lenses are within a factor of 1.65"""
DISTORTION_ERROR = 0.1
"""standard deviation of the first distortion parameter of a lens of which nothing is known"""
CENTER_ERROR = 0.005
"""of the image's longer side; standard deviation of a principal point of which nothing is known"""
ASPECT_ERROR = 0.001
"""standard deviation of ln(fy / fx); resized copies are off by the rounding of their size"""
LEAST_LOSS_SCALE_PX = 0.01
"""px; of matches without errors"""
MAX_ROUNDS = 5
"""of refining intrinsics and collecting the inliers that they have"""


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


def absolute_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    seed: int = 0,
    focal_source: str = CALIBRATED,
) -> PnpResult:
    """Camera pose from 2D-3D matches by LO-RANSAC (Lebeda 2012; PoseLib), refined on the inliers with a Cauchy loss.

    `points2d`: px in the distorted image, first pixel centred at (0.5, 0.5). Works in an origin amid the points, so
    world coordinates may be large. `focal_source`: as in `Sensor`; says what is refined beside the pose. DataError for
    input that is not finite or of unequal lengths.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    if len(points2d) < config.min_inliers:
        return _none(len(points2d), f"{len(points2d)} matches, a pose needs {config.min_inliers}")
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    origin = points_in_world.mean(0)
    local = points_in_world - origin
    pose, moved = _ransac(points2d, local, camera, config, seed), np.zeros(len(prior))
    if prior:
        pose, moved[0] = _better(points2d, local, camera, config, seed, pose)
    return _refined(points2d, local, camera, config, prior, RefinedPose(pose, camera, moved), origin)


def refined_absolute_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    config: PnpConfig,
    focal_source: str,
    cam_from_world: Rigid,
    found: Camera,
) -> PnpResult:
    """A pose that was found before, with the intrinsics `found`, refined on many more matches; else as `absolute_pose`.

    Once more, at the end, with the median error as the scale of the loss where that is smaller: of so many matches, the
    better half may decide.
    """
    poselib.check_points(points2d, 2, len(points2d))
    poselib.check_points(points_in_world, 3, len(points2d))
    prior = intrinsics_prior(config, camera, focal_source)
    camera = camera.generalised() if len(prior) > 1 else camera
    origin = points_in_world.mean(0)
    local = points_in_world - origin
    pose = Rigid(cam_from_world.rotation, cam_from_world.apply(origin[None])[0])
    start = RefinedPose(pose, found, camera.moves_to(found)[: len(prior)])
    refined, _, inliers = _solve(points2d, local, camera, config, prior, start)
    if refined is not None:
        errors = reprojection_errors(points2d, local, refined.camera, refined.cam_from_world)[inliers]
        scale = np.clip(np.median(errors), LEAST_LOSS_SCALE_PX, config.loss_scale_px) if len(errors) else 1
        config = replace(config, loss_scale_px=float(scale))
    return _refined(points2d, local, camera, config, prior, refined or start, origin)


def with_map_errors(found: PnpResult, sparse: SparseMap, points: Int[np.ndarray, "m"]) -> PnpResult:
    """The result with what errors of the map's poses add to its covariance; `points`: the map's rows of all matches."""
    if found.covariance is None or found.by_point is None:
        return found
    used = np.flatnonzero(found.by_point.any((1, 2)))
    added = covariance_of_map(sparse, points[used].astype(np.int32), found.by_point[used])
    return replace(found, covariance=found.covariance + added)


def intrinsics_prior(config: PnpConfig, camera: Camera, focal_source: str) -> Prior:
    """How far the intrinsics of a camera may be off; () where they are taken as exact."""
    is_rough = focal_source == GUESSED or focal_source.startswith(EXIF)
    refine = {True: "all", False: "none"}[is_rough] if config.refine == "auto" else config.refine
    focal = GUESSED_FOCAL_ERROR if focal_source == GUESSED else config.focal_error
    center = CENTER_ERROR * max(camera.width, camera.height)
    errors = focal, DISTORTION_ERROR, center, center, ASPECT_ERROR
    return errors[: {"none": 0, "focal": 1, "distortion": 2, "all": len(errors)}[refine]]


def _refined(
    points2d: np.ndarray,
    points: np.ndarray,
    camera: Camera,
    config: PnpConfig,
    prior: Prior,
    start: RefinedPose,
    origin: Float64[np.ndarray, 3],
) -> PnpResult:
    """The start refined on the matches that agree with it; `points` are measured from the `origin` of the world."""
    refined, used, inliers = _solve(points2d, points, camera, config, prior, start)
    if reason := _refusal(refined, inliers, config):
        return PnpResult(None, inliers, reason=reason)
    assert refined is not None and refined.by_point is not None  # noqa: S101 - refused otherwise
    by_point = np.zeros((len(points2d), *refined.by_point.shape[1:]))
    by_point[used] = refined.by_point
    found = refined.cam_from_world
    world = Rigid(found.rotation, found.translation - found.rotation @ origin)
    return PnpResult(world, inliers, refined.covariance, "", refined.camera, by_point)


def _solve(
    points2d: np.ndarray, points: np.ndarray, camera: Camera, config: PnpConfig, prior: Prior, start: RefinedPose
) -> tuple[RefinedPose | None, Bool[np.ndarray, "m"], Bool[np.ndarray, "m"]]:
    """The refined pose, None where too few matches agree to refine one, the matches used for it, those that agree."""
    pose, moved = start.cam_from_world, start.moved
    inliers = reprojection_errors(points2d, points, camera.adjusted(*moved), pose) < config.max_error_px
    refined, before = None, inliers
    for _ in range(MAX_ROUNDS if prior else 1):
        if inliers.sum() < config.min_inliers:
            break
        before, loss = inliers, config.loss_scale_px
        refined = refine_pose(points2d[before], points[before], camera, pose, loss, prior, moved)
        pose, moved = refined.cam_from_world, refined.moved
        inliers = reprojection_errors(points2d, points, refined.camera, pose) < config.max_error_px
        if refined.covariance is None or np.array_equal(before, inliers):
            break
    return refined, before, inliers


def _better(
    points2d: np.ndarray, points: np.ndarray, camera: Camera, config: PnpConfig, seed: int, pose: Rigid
) -> tuple[Rigid, float]:
    """The pose with more inliers, and ln of its focal length's ratio: the given one, or one with a focal length."""
    samples = min(config.min_iterations, config.max_iterations), config.max_iterations
    found = pose_and_focal(points2d, points, camera, config.max_error_px, samples, config.success_probability, seed)
    if found is None:
        return pose, 0.0
    counts = [
        (reprojection_errors(points2d, points, camera.adjusted(log_focal), p) < config.max_error_px).sum()
        for p, log_focal in ((pose, 0.0), found)
    ]
    return found if counts[1] > counts[0] else (pose, 0.0)


def _refusal(refined: RefinedPose | None, inliers: np.ndarray, config: PnpConfig) -> str:
    """Why there is no pose; empty where there is one."""
    if refined is not None and refined.covariance is None:
        return "the inliers do not fix a pose (points on a line, or in one place)"
    if refined is None or inliers.sum() < config.min_inliers:
        return f"{inliers.sum()} inliers, a pose needs {config.min_inliers}"
    if refined.focal_sigma > config.max_focal_error:
        return (
            f"the focal length, which is not known, comes out as {refined.camera.focal[0]:.0f} px to "
            f"{refined.focal_sigma:.0%} only, expected {config.max_focal_error:.0%} (a plane seen head-on, or a narrow "
            "part of the view, does not tell it from the distance): give the intrinsics"
        )
    return ""


def _none(count: int, reason: str) -> PnpResult:
    return PnpResult(None, np.zeros(count, bool), reason=reason)


def _ransac(points2d: np.ndarray, points: np.ndarray, camera: Camera, config: PnpConfig, seed: int) -> Rigid:
    ransac = {
        "max_reproj_error": config.max_error_px,
        "max_iterations": config.max_iterations,
        "seed": seed,
        "min_iterations": min(config.min_iterations, config.max_iterations),
        "success_prob": config.success_probability,
    }
    # A few steps only: our own refinement starts there and goes to the end, in the pixels of any camera.
    bundle = {"loss_type": "CAUCHY", "loss_scale": config.loss_scale_px, "max_iterations": 5}
    return poselib.ransac_pose(points2d, points, camera, ransac, bundle)
