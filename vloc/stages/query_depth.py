"""Poses of queries -> the same against the queries' own depth maps: refused where these contradict, or refined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.depth import KeypointPlanes
from ..data.estimate import PoseEstimate
from ..data.features import LocalFeatures
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..geometry.projection import project
from ..runtime import Runtime
from ..solvers.depth_pose import Surface, scale_of, with_depth
from ..stage import EachStage, Run

DepthUse = Literal["none", "check", "refine", "orient"]


@dataclass(frozen=True)
class QueryDepthConfig:
    """What depth maps of the queries are used for; the map has to be in metres."""

    use: DepthUse = "none"
    """nothing; to refuse poses whose scale they contradict (check); to refine the others too; and to place photos that
    their matches alone do not place (orient)"""
    max_scale_error: Annotated[float, msgspec.Meta(gt=0)] = 0.1
    """relative; a pose that has its points nearer or further than the depth map has them by more is refused"""
    scale_error: Annotated[float, msgspec.Meta(gt=0)] = 0.005
    """relative; standard deviation of a depth sensor's scale"""
    min_matches: Annotated[int, msgspec.Meta(ge=3)] = 12
    """matches with depth that agree with a pose; with fewer, depth says nothing"""
    max_bend: Annotated[float, msgspec.Meta(gt=0)] = 0.002
    """as of the map's points"""


def examine(config: QueryDepthConfig, estimate: PoseEstimate, surface: Surface) -> PoseEstimate:
    """The estimate of a query, whose matches that agree with the pose lie on surfaces."""
    pose = estimate.cam_from_world
    if pose is None or (len(surface) < config.min_matches and estimate.source != "depth"):
        return estimate
    scale = scale_of(surface, pose)
    if not abs(np.log(scale)) <= np.log1p(config.max_scale_error):
        reason = (
            f"a pose was found with confidence {estimate.confidence:.2f}, but the photo's depth map has its points "
            f"{scale:.3f} times as far away (median of {len(surface)}), expected 1 within {config.max_scale_error:g}"
        )
        return replace(estimate, cam_from_world=None, source="none", covariance=None, reason=reason)
    if config.use == "check" or estimate.covariance is None:
        return estimate
    refined, covariance = with_depth(surface, pose, estimate.covariance, config.scale_error)
    return replace(estimate, cam_from_world=refined, covariance=covariance)


def surface_of(
    estimate: PoseEstimate,
    features: LocalFeatures,
    matches: Correspondences,
    planes: Float32[np.ndarray, "n 3"],
    sparse: SparseMap,
    max_error_px: float,
) -> Surface:
    """The points of matches that agree with a pose, those whose keypoints have depth."""
    pose, camera = estimate.cam_from_world, estimate.camera
    if pose is None or camera is None:
        return Surface(np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, 3)))
    projected = project(camera, pose.apply(sparse.points[matches.points]))
    error = np.linalg.norm(projected - features.keypoints[matches.keypoints], axis=1)
    own = planes[matches.keypoints].astype(np.float64)
    rows = np.flatnonzero((error <= max_error_px) & np.isfinite(own).all(axis=1))
    points = matches.points[rows].astype(np.int64)
    return Surface(sparse.points[points], sparse.covariances_of(points), own[rows])


def _start(
    config: QueryDepthConfig,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    planes: Mapping[str, KeypointPlanes],
    sparse: SparseMap,
    max_error_px: float,
) -> Run[str, PoseEstimate]:
    def one(name: str) -> PoseEstimate:
        if name not in planes:
            return estimates[name]
        known = features[name], matches[name], planes[name].planes, sparse, max_error_px
        return examine(config, estimates[name], surface_of(estimates[name], *known))

    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        return map(one, names)

    return run


QUERY_DEPTH: EachStage[str, PoseEstimate] = EachStage("query-depth", 1, PoseEstimate, _start)
