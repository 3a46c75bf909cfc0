"""A Capture as a COLMAP model, and what that loses."""

from __future__ import annotations

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Features, Observations, Points, Reconstruction
from ...errors import DataError
from ..base import WriteOptions
from .model import NO_POINT, ColmapImages, ColmapModel, ColmapPoints
from .rigs import rigs_of


def model_of(capture: Capture, options: WriteOptions) -> tuple[ColmapModel, list[str]]:
    """The posed images with their keypoints, and all points; the losses are counted lines."""
    shift = options.pixel_center - 0.5
    posed = np.flatnonzero(capture.has_pose)
    used = sorted({capture.images.device_ids[d] for d in capture.images.devices[posed].tolist()})
    numbers = {sensor: i for i, sensor in enumerate(used, start=1)}
    cameras = {}
    for sensor, number in numbers.items():
        camera = capture.sensors[sensor].camera
        if camera is None or not camera.is_known:
            raise DataError(f"camera '{sensor}' has no intrinsics, which a COLMAP model needs; give --camera")
        cameras[number] = camera.shifted(shift)
    kind = chosen_keypoints(capture, options.keypoints_type)
    images, points, dropped = _images_and_points(capture, posed, numbers, shift, kind)
    rigs, frames = rigs_of(capture, posed, numbers)
    losses = _losses(capture, len(posed), dropped)
    if capture.rigs and not rigs:
        losses.append(f"{len(capture.rigs)} rig members, resolved into poses of their images")
    return ColmapModel(cameras, images, points, rigs, frames), losses


def chosen_keypoints(capture: Capture, wanted: str | None) -> str | None:
    """The type of keypoints to write; DataError where the choice is not clear."""
    types = list(capture.reconstruction.keypoints) if capture.reconstruction else []
    if wanted is None and len(types) > 1:
        raise DataError(f"several types of keypoints: choose one of {', '.join(types)} with keypoints_type")
    if wanted is not None and wanted not in types:
        raise DataError(f"no keypoints of type '{wanted}': there are {', '.join(types) or 'none'}")
    return wanted or (types[0] if types else None)


def _images_and_points(
    capture: Capture, posed: np.ndarray, numbers: dict[str, int], shift: float, kind: str | None
) -> tuple[ColmapImages, ColmapPoints, int]:
    """Both files' columns, and the number of observations that did not fit."""
    work = capture.reconstruction or Reconstruction()
    names = [capture.images.names[row] for row in posed.tolist()]
    keypoints = _keypoints(work.keypoints[kind] if kind else None, names, shift)
    offsets = np.cumsum([0, *map(len, keypoints)])
    points = work.points or Points(np.zeros((0, 3)))
    seen, images_seen, dropped = _visible(work.observations.get(kind or ""), posed, len(capture.images))
    point_ids = np.full(offsets[-1], NO_POINT, np.int64)
    point_ids[offsets[images_seen] + seen.keypoints] = seen.points + 1
    poses = capture.cam_from_world[posed]
    devices = [capture.images.device_ids[d] for d in capture.images.devices[posed].tolist()]
    images = ColmapImages(
        np.arange(1, len(names) + 1), names, np.array([numbers[d] for d in devices], np.int64),
        np.hstack([poses.quat_wxyz, poses.translation]), offsets,
        np.concatenate([np.zeros((0, 2)), *keypoints]), point_ids,
    )  # fmt: skip
    return images, ColmapPoints(*_point_columns(points), *_tracks(points, seen, images_seen)), dropped


def _keypoints(features: Features | None, names: list[str], shift: float) -> list[np.ndarray]:
    known = set(features.images) if features else set()
    return [
        features.load(name)[:, :2].astype(np.float64) + shift if features and name in known else np.zeros((0, 2))
        for name in names
    ]


def _visible(seen: Observations | None, posed: np.ndarray, num_images: int) -> tuple[Observations, np.ndarray, int]:
    """The observations in posed images, the place of their image among those, and how many were dropped.

    A keypoint of a COLMAP model shows one point at most; of several the first is kept.
    """
    if seen is None:
        none = np.zeros(0, np.int32)
        return Observations(none, none, none), none, 0
    place = np.full(num_images, -1, np.int64)
    place[posed] = np.arange(len(posed))
    images = place[seen.images]
    # Observations are sorted by point, so the first of each keypoint is that of its first point.
    first = np.unique(np.stack([images, seen.keypoints], axis=1), axis=0, return_index=True)[1]
    kept = np.sort(first[images[first] >= 0])
    own = Observations(seen.points[kept], seen.images[kept], seen.keypoints[kept])
    return own, images[kept], len(seen) - len(kept)


def _point_columns(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    count = len(points)
    rgb = np.zeros((count, 3), np.uint8) if points.rgb is None else points.rgb
    # COLMAP writes -1 where it has not computed the error.
    errors = np.full(count, -1.0) if points.errors is None else points.errors
    return np.arange(1, count + 1), points.xyz, rgb, errors


def _tracks(points: Points, seen: Observations, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(seen.points, kind="stable")
    lengths = np.bincount(seen.points, minlength=len(points))
    tracks = np.stack([images + 1, seen.keypoints], axis=1).astype(np.int64)[order]
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), tracks


def _losses(capture: Capture, num_posed: int, dropped: int) -> list[str]:
    work = capture.reconstruction
    others = {f"{kind} records": len(rows) for kind, rows in capture.others.items()}
    others |= {f"{kind} records": len(rows) for kind, rows in capture.readings.items()}
    if work:
        others |= {"types of keypoints": len(work.keypoints) - 1, "types of descriptors": len(work.descriptors)}
        others |= {"types of global features": len(work.global_features), "types of matches": len(work.matches)}
    counts = {
        "images without a pose": len(capture.images) - num_posed,
        "timestamps, replaced by image ids": num_posed,
        "names of sensors, replaced by numbers": len(capture.sensors),
        "observations in images without a pose, or of a keypoint that shows another point": dropped,
        **others,
    }
    return [f"{count} {what}" for what, count in counts.items() if count > 0]
