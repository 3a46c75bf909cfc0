"""The one door to PoseLib: checks what PoseLib does not, which reads past unequal arrays and skips unknown keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..array_types import Bool, Float64
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.projection import unproject
from ..geometry.rigid import Rigid

# PoseLib takes other names for no camera at all, in silence (probed with 2.0.5).
MODELS = frozenset({"SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE", "FULL_OPENCV"})
OUTSIDE = -1e9  # px; rays outside the camera model become nobody's inlier
BITS = 20
"""of a rig's pose that are kept: the last ones depend on what else is in memory (PoseLib 2.0.5)"""

Options = Mapping[str, object]


def ransac_pose(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    ransac: Options,
    bundle: Options,
) -> Rigid:
    """`cam_from_world` of the largest consensus; the identity where there is none."""
    import poselib

    check_points(points2d, 2, len(points2d))
    check_points(points_in_world, 3, len(points2d))
    pixels, model = _camera(points2d, camera)
    pose, _ = poselib.estimate_absolute_pose(
        pixels,
        np.ascontiguousarray(points_in_world, np.float64),
        model,
        _known(ransac, poselib.RansacOptions()),
        _known(bundle, poselib.BundleOptions()),
    )
    return Rigid(np.array(pose.R), np.array(pose.t).reshape(3))


def ransac_rig_pose(
    points2d: Sequence[Float64[np.ndarray, "_ 2"]],
    points_in_world: Sequence[Float64[np.ndarray, "_ 3"]],
    cameras: Sequence[Camera],
    cams_from_rig: Sequence[Rigid],
    ransac: Options,
    bundle: Options,
) -> Rigid:
    """`rig_from_world` of the largest consensus of all cameras, rounded; the identity where there is none."""
    import poselib

    for pixels, points in zip(points2d, points_in_world, strict=True):
        check_points(pixels, 2, len(pixels))
        check_points(points, 3, len(pixels))
    seen, models = zip(*map(_camera, points2d, cameras), strict=True)
    pose, _ = poselib.estimate_generalized_absolute_pose(
        list(seen),
        [np.ascontiguousarray(points, np.float64) for points in points_in_world],
        [_pose(cam_from_rig) for cam_from_rig in cams_from_rig],
        list(models),
        _known(ransac, poselib.RansacOptions()),
        _known(bundle, poselib.BundleOptions()),
    )
    return _rounded(pose.q, pose.t)


def _rounded(quat_wxyz: np.ndarray, translation: np.ndarray) -> Rigid:
    """A start for a refinement that is the same bytes in every run, a thousandth of a pixel off."""
    unit = np.exp2(np.frexp(np.abs(translation).max())[1] - BITS)
    return Rigid.from_quat_wxyz(np.round(np.exp2(BITS) * quat_wxyz), np.round(translation / unit) * unit)


def relative_pose_inliers(
    points1: Float64[np.ndarray, "m 2"],
    camera1: Camera,
    points2: Float64[np.ndarray, "m 2"],
    camera2: Camera,
    ransac: Options,
) -> Bool[np.ndarray, "m"]:
    """Which matched pixels agree with one relative pose of two calibrated cameras."""
    import poselib

    check_points(points1, 2, len(points1))
    check_points(points2, 2, len(points1))
    (pixels1, model1), (pixels2, model2) = _camera(points1, camera1), _camera(points2, camera2)
    options = _known(ransac, poselib.RansacOptions())
    return _inliers(poselib.estimate_relative_pose(pixels1, pixels2, model1, model2, options, {}), len(points1))


def fundamental_inliers(
    points1: Float64[np.ndarray, "m 2"], points2: Float64[np.ndarray, "m 2"], ransac: Options
) -> Bool[np.ndarray, "m"]:
    """Which matched pixels agree with one fundamental matrix of two uncalibrated, undistorted cameras."""
    import poselib

    check_points(points1, 2, len(points1))
    check_points(points2, 2, len(points1))
    pixels1, pixels2 = np.ascontiguousarray(points1, np.float64), np.ascontiguousarray(points2, np.float64)
    options = _known(ransac, poselib.RansacOptions())
    return _inliers(poselib.estimate_fundamental(pixels1, pixels2, options, {}), len(points1))


def check_points(points: np.ndarray, dimensions: int, count: int) -> None:
    """DataError unless `points` are `count` finite rows of so many dimensions."""
    if points.shape != (count, dimensions):
        raise DataError(f"matched points of shape {points.shape}, expected ({count}, {dimensions})")
    if not np.isfinite(points).all():
        raise DataError("matched points with numbers that are not finite")


def _known(options: Options, defaults: Options) -> dict[str, object]:
    unknown = set(options) - set(defaults)
    if unknown:
        raise DataError(f"PoseLib options {sorted(unknown)}, expected some of {sorted(defaults)}")
    return dict(options)


def _inliers(answer: tuple[object, Mapping[str, Any]], count: int) -> Bool[np.ndarray, "m"]:
    found = np.array(answer[1].get("inliers", []), bool)
    return found if len(found) == count else np.zeros(count, bool)


def _pose(transform: Rigid) -> Any:
    import poselib

    pose = poselib.CameraPose()
    pose.q, pose.t = transform.quat_wxyz, transform.translation
    return pose


def _camera(points: np.ndarray, camera: Camera) -> tuple[np.ndarray, dict[str, object]]:
    """Pixels and PoseLib's form of their camera; models it lacks become a pinhole of the same focal lengths."""
    if not camera.is_known:
        raise DataError("a pose needs intrinsics, the camera has none")
    model, params = camera.model, camera.params
    if model not in MODELS:
        model, params = "PINHOLE", (*camera.focal, *camera.principal_point)
        points = unproject(camera, points) * camera.focal + camera.principal_point
        points = np.where(np.isfinite(points), points, OUTSIDE)
    form: dict[str, object] = {"model": model, "width": camera.width, "height": camera.height, "params": list(params)}
    return np.ascontiguousarray(points, np.float64), form
