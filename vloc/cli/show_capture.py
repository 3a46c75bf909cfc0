"""The figures of a capture that `vloc show` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..data.capture import Capture
from ..data.reconstruction import Features, Reconstruction
from ..geometry.camera import Camera

# Units that timestamps are counted in, a second being so many, and the years that a capture may be of.
UNITS = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}
FIRST_YEAR, LAST_YEAR = 2000, 2100


def capture_facts(capture: Capture) -> dict[str, Any]:
    """Sensors, rigs, records, times, extent, results and the reader's notes; nothing that needs pixels or features."""
    times, has_pose = capture.images.timestamps, capture.has_pose
    return {
        "format": capture.format,
        "images": len(capture.images),
        "with_pose": int(has_pose.sum()),
        "sensors": dict(Counter(sensor.kind for sensor in capture.sensors.values())),
        "cameras": cameras(capture),
        "rigs": dict(sorted(Counter(member.rig_id for member in capture.rigs).items())),
        "trajectory": f"{len(capture.trajectory):,} poses of {len(capture.trajectory.device_ids)} devices",
        "other_records": {kind: len(records) for kind, records in capture.others.items()},
        "readings": {kind: len(readings) for kind, readings in capture.readings.items()},
        "timestamps": [int(times.min()), int(times.max())] if len(times) else [],
        "time_span": time_span(int(times.min()), int(times.max())) if len(times) else "",
        "extent_m": extent(capture.cam_from_world.center[has_pose]),
        "pixel_center": capture.pixel_center,
        **reconstruction_facts(capture.reconstruction or Reconstruction()),
        "left_out": list(capture.left_out),
        "notes": list(capture.notes),
    }


def cameras(capture: Capture) -> dict[str, int]:
    """How many cameras there are of each model, size and source of the focal length, with the range of the latter."""
    focals: dict[tuple[str, str], list[float]] = {}
    for device in capture.images.device_ids:
        sensor = capture.sensors[device]
        known = sensor.camera is not None and sensor.camera.is_known
        kind = _size(sensor.camera), sensor.focal_source if known else ""
        focals.setdefault(kind, []).append(sensor.camera.focal[0] if sensor.camera and known else 0.0)
    return {f"{size}{_focal(found, source)}": len(found) for (size, source), found in focals.items()}


def _size(camera: Camera | None) -> str:
    return f"{camera.model} {camera.width} x {camera.height}" if camera else "no intrinsics"


def _focal(found: list[float], source: str) -> str:
    if not source:
        return ""
    low, high = f"{min(found):.1f}", f"{max(found):.1f}"
    return f", focal length {low if low == high else f'{low} to {high}'} px ({source})"


def time_span(first: int, last: int) -> str:
    """Date and length, where the numbers are seconds since 1970 (UTC) in a unit that gives a plausible year."""
    for unit, second in UNITS.items():
        if datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() <= first / second:
            if first / second < datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp():
                date = datetime.fromtimestamp(first // second, UTC)
                return f"{date:%Y-%m-%d %H:%M:%S} UTC, {(last - first) / second:,.1f} s (if they count {unit})"
            return ""
    return ""


def extent(centers: np.ndarray) -> list[float]:
    """Size of the box around camera centres (n, 3) along x, y and z."""
    return [round(float(side), 2) for side in np.ptp(centers, axis=0)] if len(centers) else []


def reconstruction_facts(work: Reconstruction) -> dict[str, Any]:
    """Points with their tracks, and the types of features and matches."""
    points: dict[str, Any] = {}
    if work.points is not None:
        points = {"count": len(work.points), "with_colour": work.points.rgb is not None}
    if work.points is not None and work.points.errors is not None and len(work.points):
        points["mean_error_px"] = round(float(work.points.errors.mean()), 3)
    return {
        "points": points,
        "observations": {kind: _tracks(seen.points) for kind, seen in work.observations.items()},
        "keypoints": {name: _features(own) for name, own in work.keypoints.items()},
        "descriptors": {name: _features(own) for name, own in work.descriptors.items()},
        "global_features": {name: _features(own) for name, own in work.global_features.items()},
        "matches": {name: f"{len(own.pairs):,} pairs" for name, own in work.matches.items()},
    }


def _tracks(points: np.ndarray) -> str:
    seen = len(np.unique(points))
    return f"{len(points):,} of {seen:,} points, mean track {len(points) / max(seen, 1):.2f}"


def _features(features: Features) -> str:
    said = f"{features.extractor}, {np.dtype(features.dtype).name} x {features.width}"
    return f"{len(features.images):,} images, {said}"


def shortened(values: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The first entries of a mapping, and how many more there are."""
    if len(values) <= limit:
        return dict(values)
    kept = dict(list(values.items())[: limit - 1])
    return {**kept, "...": f"{len(values) - len(kept):,} more"}
