"""2D-3D matches of a query -> its pose, or none with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.evidence import Calibration, Evidence
from ..data.features import LocalFeatures
from ..data.quality import ImageQuality
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..errors import DataError
from ..runtime import Runtime
from ..solvers.absolute_pose import absolute_pose
from ..solvers.acceptance import doubt, weigh
from ..solvers.calibration import confidence
from ..solvers.focal_pose import prepare
from ..solvers.pnp import PnpConfig, PnpResult
from ..solvers.pnp_refinement import with_map_errors
from ..solvers.pose_priors import Upright
from ..stage import EachStage, Run


def register(
    config: PnpConfig,
    name: str,
    sensor: Sensor,
    quality: ImageQuality | None,
    features: LocalFeatures,
    matches: Correspondences,
    sparse: SparseMap,
    calibration: Calibration,
    seed: int,
    up: Upright | None = None,
) -> PoseEstimate:
    """The pose of one query from its matches with points of the map, refused where it is not to be believed.

    Without a `quality` (nobody looked at the photo) it counts as a good one. Where an `up` is to be used and no pose is
    believed, samples under it have a try, and the pose of more confidence counts.
    """
    pixels, points = features.keypoints[matches.keypoints].astype(np.float64), sparse.points[matches.points]
    if sensor.camera is None:
        raise DataError(f"{name}: recorded by a {sensor.kind}, expected a camera")
    known, seen = (pixels, points, sensor.camera, config), (features, matches, sparse, calibration, seed)
    found = absolute_pose(*known, seed, sensor.focal_source)
    estimate = believed(config, name, sensor, quality, found, *seen)
    if up is None or estimate.is_localized:
        return estimate
    from ..solvers.upright_pose import upright_pose  # which few queries need

    again = upright_pose(*known, up, seed, sensor.focal_source)
    return max(estimate, believed(config, name, sensor, quality, again, *seen), key=lambda each: each.confidence)


def believed(
    config: PnpConfig,
    name: str,
    sensor: Sensor,
    quality: ImageQuality | None,
    found: PnpResult,
    features: LocalFeatures,
    matches: Correspondences,
    sparse: SparseMap,
    calibration: Calibration,
    seed: int,
) -> PoseEstimate:
    """What was found for a query, with the evidence of all its matches, refused where that is too little."""
    pixels, points = features.keypoints[matches.keypoints].astype(np.float64), sparse.points[matches.points]
    told = with_map_errors(found, sparse, matches.points)
    estimate = PoseEstimate(
        name,
        found.cam_from_world,
        "none" if found.cam_from_world is None else "pnp",
        found.num_inliers,
        len(matches),
        told.pose_covariance,
        reason=found.reason,
        camera=found.camera or sensor.camera,
        focal_source=sensor.focal_source,
        focal_sigma_px=told.focal_sigma * found.camera.focal[0] if found.camera else 0.0,
    )
    if found.cam_from_world is None:
        return estimate
    seen = weigh(pixels, points, matches.images, found, config.max_error_px, seed, matches.area_px)
    evidence = seen if quality is None else replace(seen, quality=quality.overall)
    return _judged(replace(estimate, evidence=evidence, confidence=confidence(evidence, calibration)), evidence, config)


def _judged(estimate: PoseEstimate, evidence: Evidence, config: PnpConfig) -> PoseEstimate:
    """The estimate, without its pose where that is not to be believed."""
    if estimate.confidence >= config.min_confidence:
        return estimate
    reason = (
        f"a pose was found with confidence {estimate.confidence:.2f}, expected {config.min_confidence:g}: "
        f"{estimate.num_inliers} of {estimate.num_matches} matches agree; {doubt(evidence)}"
    )
    return replace(estimate, cam_from_world=None, source="none", covariance=None, reason=reason)


def _start(
    config: PnpConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    sensors: Mapping[str, Sensor],
    qualities: Mapping[str, ImageQuality | None],
    ups: Mapping[str, Upright | None],
    sparse: SparseMap,
    calibration: Calibration,
    seed: int,
) -> Run[str, PoseEstimate]:
    if any(sensor.is_rough for sensor in sensors.values()):
        prepare()

    def one(name: str) -> PoseEstimate:
        seen = sensors[name], qualities[name], features[name], matches[name]
        return register(config, name, *seen, sparse, calibration, seed, ups[name])

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        return map(one, names)

    return run


REGISTER: EachStage[str, PoseEstimate] = EachStage("register", 7, PoseEstimate, _start)
