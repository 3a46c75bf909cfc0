"""Is a pose by absolute orientation to be believed? The evidence of `acceptance`, and what depth adds to it.

A match agrees by chance with q = pi e^2 / area in the image and, where its keypoint has depth, with p in depth. So it
is worth ln(p q) / ln(q) of those that agree in the image alone, of which a pose needs so many. p is how often the depth
of one keypoint would have passed for that of another's point.

Depth is also evidence of its own, where it had no part in finding the pose: of the poses that photos alone give, those
that are right have nearly all of their matches on their surfaces, and of those that are wrong few.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..array_types import Int32
from ..data.evidence import Evidence
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .absolute_pose import absolute_pose
from .acceptance import (
    RIVAL_SHARE,
    SAMPLE,
    agreement,
    coverage,
    is_elsewhere,
    log10_false_alarms,
    median_distance,
    one_a_place,
)
from .hypotheses import FIXES_POSE
from .orientation import DeepMatches, oriented
from .pnp import PnpConfig, PnpResult
from .pose_refinement import reprojection_errors

LEAST_DEEP, AGREE_IN_DEPTH, ODDS = 6, 0.8, 10.0
"""matches with depth that tell, the part of a photo's own inliers that has to agree in depth, and by how much that
makes a pose likelier: 110 of 111 right ones agree so, and 2 of 62 wrong ones, one in ten at most (95 %;
tests/benchmarks/bench_orientation.py FOLDER --seeds 71 72 --agreement: the exact depth of 71)"""


def weigh_orientation(
    matches: DeepMatches, images: Int32[np.ndarray, "m"], found: PnpResult, config: PnpConfig, seed: int
) -> Evidence:
    """What matches, each made with one of `images`, say for the pose that was found, as in `acceptance`.

    DataError where no pose was found.
    """
    pose, covariance, camera, agrees = found.cam_from_world, found.covariance, found.camera, found.inliers
    if pose is None or covariance is None or camera is None:
        raise DataError("no pose was found: there is nothing to weigh")
    points = matches.points
    errors = np.where(agrees, reprojection_errors(matches.points2d, points, camera, pose), np.inf)
    kept, sample = one_a_place(matches.points2d, camera), SAMPLE + bool(found.focal_sigma)
    distance = median_distance(points[agrees], pose)
    return Evidence(
        log10_false_alarms(errors[kept], _area(camera), config.max_error_px, sample),
        agreement(images, agrees),
        coverage(matches.points2d[agrees], camera),
        _rival(matches[~agrees], camera, pose, distance, int(agrees.sum()), config, seed),
        relative_error=float(np.sqrt(np.diag(covariance)[3:6].sum())) / distance,
    )


def counted(matches: DeepMatches, found: PnpResult, config: PnpConfig) -> float:
    """As how many that agree in the image alone the inliers of a pose count; 0 where there is none."""
    if found.cam_from_world is None or found.camera is None:
        return 0.0
    in_image = np.pi * config.max_error_px**2 / _area(found.camera)
    chance = chance_of_depth(matches, found.cam_from_world)
    worth = 1 + np.log(chance) / np.log(in_image) if in_image < 1 else 1.0
    num_deep = int((found.inliers & matches.has_depth).sum())
    return float(found.num_inliers + max(num_deep - SAMPLE, 0) * (worth - 1))


def chance_of_depth(matches: DeepMatches, pose: Rigid) -> float:
    """How often one keypoint's depth passes for that of another's point, of those before the camera; never 0."""
    z = pose.apply(matches.points)[:, 2]
    seen = matches.has_depth & (z > 0)
    agree = np.abs(matches.in_cam[seen, 2, None] - z[seen]) < matches.tolerance[seen, None]
    np.fill_diagonal(agree, val=False)
    return float(agree.sum() + 1) / (len(agree) * (len(agree) - 1) + 1)


def odds_of_depth(matches: DeepMatches, found: PnpResult, config: PnpConfig, seed: int, focal_source: str) -> float:
    """By how much depth makes a pose likelier, as photo and depth each for itself say the same; else 1."""
    if found.cam_from_world is None or found.camera is None:
        return 1.0
    points, least = matches.points, replace(config, min_inliers=FIXES_POSE)
    alone = absolute_pose(matches.points2d, points, found.camera, least, seed, focal_source)
    if alone.cam_from_world is None or share_of_depth(matches, alone) < AGREE_IN_DEPTH:
        return 1.0
    distance = median_distance(points[found.inliers], found.cam_from_world)
    return 1.0 if is_elsewhere(alone.cam_from_world, found.cam_from_world, distance) else ODDS


def share_of_depth(matches: DeepMatches, alone: PnpResult) -> float:
    """Of a photo's own inliers that have depth, the part that agrees in depth; 0 for fewer than tell anything."""
    deep = alone.inliers & matches.has_depth
    if alone.cam_from_world is None or deep.sum() < LEAST_DEEP:
        return 0.0
    return 1 - float(matches.disagree(alone.cam_from_world.apply(matches.points)[None])[0][deep].mean())


def _area(camera: Camera) -> float:
    return float(camera.width * camera.height)


def _rival(
    rest: DeepMatches,
    camera: Camera,
    cam_from_world: Rigid,
    distance: float,
    num_inliers: int,
    config: PnpConfig,
    seed: int,
) -> float:
    """How many of the other matches agree, in depth too, with one pose elsewhere, relative to the inliers."""
    least = max(RIVAL_SHARE * num_inliers, 2 * SAMPLE)
    if len(rest) < least:
        return 0.0
    other = oriented(rest, camera, config, seed)
    if other.cam_from_world is None or other.num_inliers < least:
        return 0.0
    return other.num_inliers / num_inliers if is_elsewhere(other.cam_from_world, cam_from_world, distance) else 0.0
