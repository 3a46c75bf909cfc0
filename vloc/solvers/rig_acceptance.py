"""What speaks for the pose of a rig: the evidence of `acceptance`, over the matches of all its cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..array_types import Bool, Float64, Int32
from ..data.evidence import Evidence
from ..errors import DataError
from ..geometry.rigid import Rigid
from . import poselib
from .acceptance import (
    RIVAL_ITERATIONS,
    RIVAL_SHARE,
    SAMPLE,
    agreement,
    coverage,
    is_elsewhere,
    log10_false_alarms,
    median_distance,
    one_a_place,
)
from .generalized_pose import RigPose, View


def weigh_rig(
    views: Sequence[View], images: Sequence[Int32[np.ndarray, "_"]], found: RigPose, max_error_px: float, seed: int
) -> Evidence:
    """What the matches of all cameras, each made with one of `images`, say for the pose that was found.

    Coverage is that of the camera that sees most: others may be blind. DataError where no pose was found.
    """
    pose, covariance = found.rig_from_world, found.covariance
    if pose is None or covariance is None:
        raise DataError("no pose was found: there is nothing to weigh")
    errors = [view.errors(pose) for view in views]
    agrees = [part < max_error_px for part in errors]
    seen = np.concatenate([view.points_in_world[rows] for view, rows in zip(views, agrees, strict=True)])
    distance = median_distance(seen, pose)
    return Evidence(
        _false_alarms(views, errors, max_error_px),
        agreement(_by_camera(images), np.concatenate(agrees)),
        max(coverage(view.points2d[rows], view.camera) for view, rows in zip(views, agrees, strict=True)),
        _rival(views, agrees, pose, distance, max_error_px, seed),
        relative_error=float(np.sqrt(np.diag(covariance)[3:6].sum())) / distance,
    )


def _false_alarms(views: Sequence[View], errors: Sequence[Float64[np.ndarray, "_"]], max_error_px: float) -> float:
    """By errors that are as likely by chance as those in pictures of the first camera's size; one match a place."""
    area = _area(views[0])
    scaled = [
        np.where(part < max_error_px, part * np.sqrt(area / _area(view)), np.inf)[
            one_a_place(view.points2d, view.camera)
        ]
        for view, part in zip(views, errors, strict=True)
    ]
    return log10_false_alarms(np.concatenate(scaled), area, np.inf)


def _area(view: View) -> float:
    return min(view.area_px, float(view.camera.width * view.camera.height))


def _by_camera(images: Sequence[Int32[np.ndarray, "_"]]) -> Int32[np.ndarray, "m"]:
    """Map images numbered anew for every camera, so that a blind one says nothing of what another sees in them."""
    count = 1 + max((int(part.max()) for part in images if len(part)), default=0)
    return np.concatenate([part + number * count for number, part in enumerate(images)]).astype(np.int32)


def _rival(
    views: Sequence[View],
    agrees: Sequence[Bool[np.ndarray, "_"]],
    rig_from_world: Rigid,
    distance: float,
    max_error_px: float,
    seed: int,
) -> float:
    """How many of the matches that disagree with a pose agree with one pose elsewhere, relative to its inliers."""
    num_inliers = int(sum(rows.sum() for rows in agrees))
    rest = [view[~rows] for view, rows in zip(views, agrees, strict=True)]
    rest, least = [view for view in rest if len(view.points2d)], max(RIVAL_SHARE * num_inliers, 2 * SAMPLE)
    if sum(len(view.points2d) for view in rest) < least:
        return 0.0
    origin = np.concatenate([view.points_in_world for view in rest]).mean(0)
    ransac = {"max_reproj_error": max_error_px, "max_iterations": RIVAL_ITERATIONS, "min_iterations": 100, "seed": seed}
    pixels, points = [view.points2d for view in rest], [view.points_in_world - origin for view in rest]
    mounts, cameras = [view.cam_from_rig for view in rest], [view.camera for view in rest]
    found = poselib.ransac_rig_pose(pixels, points, cameras, mounts, ransac, {})
    other = Rigid(found.rotation, found.translation - found.rotation @ origin)
    inliers = int(sum((view.errors(other) < max_error_px).sum() for view in rest))
    return inliers / num_inliers if inliers >= least and is_elsewhere(other, rig_from_world, distance) else 0.0
