"""A Capture as a Scene, and what is lost when only that is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ..data.capture import Capture
from ..data.reconstruction import Features, Observations, Points, Reconstruction
from ..errors import DataError
from ..geometry.camera import Camera
from .base import WriteOptions
from .colmap.export import chosen_keypoints
from .scene import Scene


def scene_of(capture: Capture, options: WriteOptions, *, with_points: bool = True) -> Scene:
    """All images with their poses, the points and the observations of the chosen keypoints, in the output's pixels.

    DataError for an image that has a pose but no intrinsics, names that are no Unicode, and points that are not finite.
    """
    shift = options.pixel_center - 0.5
    images, work = capture.images, (with_points and capture.reconstruction) or Reconstruction()
    check_unicode(images.names)
    sensor_of = [images.device_ids[device] for device in images.devices.tolist()]
    poses, posed = capture.cam_from_world, np.flatnonzero(capture.has_pose).tolist()
    points = work.points or Points(np.zeros((0, 3)))
    check_finite(points)
    kind = chosen_keypoints(capture, options.keypoints_type) if with_points else None
    track = _track(work.observations.get(kind or ""))
    needed = {sensor_of[row] for row in posed}
    return Scene(
        list(images.names),
        {s: _camera(capture, s, needed).shifted(shift) for s in dict.fromkeys(sensor_of)},
        sensor_of,
        {row: poses[row] for row in posed},
        points,
        track,
        _pixels(work.keypoints[kind], images.names, track) + shift if kind and len(track) else np.zeros((0, 2)),
    )


def check_finite(points: Points) -> None:
    """DataError for points that no file of numbers holds."""
    if not np.isfinite(points.xyz).all():
        raise DataError("points that are not finite numbers cannot be written")


def check_unicode(names: Sequence[str]) -> None:
    """DataError for a name that has no UTF-8 form (a file system can hold such)."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(f"image {name!r} cannot be written as UTF-8") from None


def first_type(capture: Capture, wanted: str | None) -> str | None:
    """The type of keypoints that is written."""
    return wanted or (next(iter(capture.reconstruction.keypoints), None) if capture.reconstruction else None)


def _camera(capture: Capture, sensor: str, needed: Collection[str]) -> Camera:
    """The camera, of unknown intrinsics only where no image with a pose needs them."""
    camera = capture.sensors[sensor].camera
    if camera is None or (not camera.is_known and sensor in needed):
        raise DataError(f"camera '{sensor}' has no intrinsics, which this format needs; give --camera")
    return camera


def _track(seen: Observations | None) -> np.ndarray:
    if seen is None:
        return np.zeros((0, 3), np.int64)
    return np.stack([seen.points, seen.images, seen.keypoints], axis=1).astype(np.int64)


def _pixels(features: Features, names: Sequence[str], track: np.ndarray) -> np.ndarray:
    """Where each observation is; an image's keypoints are read once."""
    pixels = np.empty((len(track), 2))
    order = np.argsort(track[:, 1], kind="stable")
    bounds = np.searchsorted(track[order, 1], np.arange(len(names) + 1))
    for row, name in enumerate(names):
        own = order[bounds[row] : bounds[row + 1]]
        if len(own):
            pixels[own] = features.load(name)[track[own, 2], :2]
    return pixels


def counted(losses: dict[str, int]) -> list[str]:
    """`N what` of what was lost at all."""
    return [f"{count} {what}" for what, count in losses.items() if count > 0]


def other_records(capture: Capture) -> dict[str, int]:
    """How many records there are of other sensors than cameras, by type."""
    files = {f"{kind} records": len(rows) for kind, rows in capture.others.items()}
    return files | {f"{kind} records": len(rows) for kind, rows in capture.readings.items()}


def common_losses(capture: Capture, *, keypoints_type: str | None, keeps_points: bool) -> dict[str, int]:
    """What a file of posed images, and maybe points with tracks, never holds."""
    work, track = capture.reconstruction or Reconstruction(), capture.trajectory
    full = np.isfinite(track.quat_wxyz).all(1) & np.isfinite(track.translation).all(1)
    elsewhere = ~np.isin(track.timestamps, capture.images.timestamps)
    losses = {
        "times of images, replaced by their places": len(capture.images),
        "names of sensors": len(capture.sensors),
        "rig members, resolved into poses of their images": len(capture.rigs),
        "half poses": int((~full).sum()),
        "poses at times without an image": int((elsewhere & full).sum()),
        **other_records(capture),
        "types of descriptors": len(work.descriptors),
        "types of global features": len(work.global_features),
        "types of matches": len(work.matches),
    }
    points = work.points if keeps_points else None
    losses["points"] = len(work.points or ()) if not keeps_points else 0
    losses["reprojection errors of points"] = len(points) if points and points.errors is not None else 0
    return {**losses, **_keypoint_losses(work, keypoints_type if keeps_points else None)}


def _keypoint_losses(work: Reconstruction, kept: str | None) -> dict[str, int]:
    others = [kind for kind in work.keypoints if kind != kept]
    losses = {
        "types of keypoints": len(others),
        "observations of keypoints left out": sum(
            len(work.observations[kind]) for kind in others if kind in work.observations
        ),
    }
    if kept is not None:
        features, seen = work.keypoints[kept], work.observations.get(kept)
        total = sum(len(features.load(name)) for name in features.images)
        pairs = np.zeros((0, 2)) if seen is None else np.unique(np.stack([seen.images, seen.keypoints], 1), axis=0)
        losses["keypoints that show no point"] = total - len(pairs)
        losses["columns of keypoints after x and y"] = features.width - 2
    return losses


def posed_part(scene: Scene) -> tuple[Scene, int, int]:
    """The images with a pose, numbered anew; how many are without, and how many observations those had."""
    rows = sorted(scene.poses)
    place = np.full(len(scene.names), -1, np.int64)
    place[rows] = np.arange(len(rows))
    kept = place[scene.track[:, 1]] >= 0
    track = scene.track[kept].copy()
    track[:, 1] = place[track[:, 1]]
    posed = Scene(
        [scene.names[row] for row in rows],
        scene.cameras,
        [scene.sensor_of[row] for row in rows],
        {new: scene.poses[row] for new, row in enumerate(rows)},
        scene.points,
        track,
        scene.pixels[kept],
    )
    return posed, len(scene.names) - len(rows), int((~kept).sum())
