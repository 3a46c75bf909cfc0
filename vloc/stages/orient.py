"""Queries without a pose, whose keypoints have depth -> the pose by absolute orientation, where that is believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..data.capture import Sensor
from ..data.depth import KeypointPlanes
from ..data.estimate import PoseEstimate
from ..data.evidence import Calibration
from ..data.features import LocalFeatures
from ..data.quality import ImageQuality
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..runtime import Runtime
from ..solvers.calibration import confidence, likelier
from ..solvers.depth_pose import Surface
from ..solvers.orientation import DeepMatches, oriented
from ..solvers.orientation_acceptance import counted, odds_of_depth, weigh_orientation
from ..solvers.pnp import PnpConfig
from ..solvers.pnp_refinement import with_map_errors
from ..stage import EachStage, Run


def orient(
    pnp: PnpConfig,
    estimate: PoseEstimate,
    sensor: Sensor,
    quality: ImageQuality | None,
    features: LocalFeatures,
    matches: Correspondences,
    planes: KeypointPlanes | None,
    sparse: SparseMap,
    calibration: Calibration,
    seed: int,
) -> PoseEstimate:
    """The estimate of a query, with a pose by its depth map where it has none and this one is believed.

    As sure, and by as many matches, as any: those that agree in depth, too, count for more.
    """
    camera = sensor.camera
    if estimate.is_localized or camera is None or planes is None:
        return estimate
    own, points = planes.planes[matches.keypoints].astype(np.float64), matches.points
    surface = Surface(sparse.points[points], sparse.covariances_of(points.astype(np.int64)), own)
    seen = DeepMatches.of(features.keypoints[matches.keypoints].astype(np.float64), surface, camera)
    found = oriented(seen, camera, pnp, seed, sensor.focal_source)
    if found.camera is None or counted(seen, found, pnp) < pnp.min_inliers:
        return estimate
    evidence = weigh_orientation(seen, matches.images, found, pnp, seed)
    evidence = replace(evidence, quality=1.0 if quality is None else quality.overall)
    belief = likelier(confidence(evidence, calibration), odds_of_depth(seen, found, pnp, seed, sensor.focal_source))
    if belief < pnp.min_confidence:
        return estimate
    known = with_map_errors(found, sparse, points)
    return replace(
        estimate,
        cam_from_world=found.cam_from_world,
        source="depth",
        num_inliers=found.num_inliers,
        num_matches=len(seen),
        covariance=known.pose_covariance,
        reason="",
        camera=found.camera,
        focal_sigma_px=known.focal_sigma * found.camera.focal[0],
        confidence=belief,
        evidence=evidence,
    )


def _start(
    pnp: PnpConfig,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    sensors: Mapping[str, Sensor],
    qualities: Mapping[str, ImageQuality | None],
    planes: Mapping[str, KeypointPlanes | None],
    sparse: SparseMap,
    calibration: Calibration,
    seed: int,
) -> Run[str, PoseEstimate]:
    def one(name: str) -> PoseEstimate:
        seen = sensors[name], qualities[name], features[name], matches[name], planes[name]
        return orient(pnp, estimates[name], *seen, sparse, calibration, seed)

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        return map(one, names)

    return run


ORIENT: EachStage[str, PoseEstimate] = EachStage("orient", 2, PoseEstimate, _start)
