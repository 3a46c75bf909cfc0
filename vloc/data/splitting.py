"""Parts of a capture: which images are chosen, and everything that goes with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ..array_types import Bool, Float64, Int64
from .capture import Capture
from .pairs import Pairs
from .reconstruction import Features, MatchedPairs, Observations, Points, Reconstruction
from .records import Readings, Records, Trajectory

Rows = Bool[np.ndarray, "i"]


def every_nth(capture: Capture, n: int) -> Rows:
    """Images of every n-th time, the first included: those that a rig took at one time stay together."""
    order = np.unique(capture.images.timestamps, return_inverse=True)[1]
    rows: Rows = order % n == 0
    return rows


def in_folder(capture: Capture, folder: str) -> Rows:
    """Images whose path begins with a folder."""
    start = folder.rstrip("/") + "/"
    return np.array([name.startswith(start) for name in capture.images.names], bool)


def named(capture: Capture, names: Collection[str]) -> Rows:
    """Images of these names."""
    wanted = set(names)
    return np.array([name in wanted for name in capture.images.names], bool)


def in_time(capture: Capture, first: int, last: int) -> Rows:
    """Images of the timestamps first to last, both included."""
    times = capture.images.timestamps
    return (first <= times) & (times <= last)


def in_area(capture: Capture, lower: Sequence[float], upper: Sequence[float]) -> Rows:
    """Images whose camera centre is in a box of world coordinates, sides included; those without a pose are not."""
    centers: Float64[np.ndarray, "i 3"] = capture.cam_from_world.center
    inside: Rows = (centers >= lower).all(1) & (centers <= upper).all(1) & capture.has_pose
    return inside


def part_of(capture: Capture, chosen: Rows) -> Capture:
    """The chosen images, all sensors and rigs, and what was recorded and computed with those images.

    Poses and records at other times go with the image nearest in time; at the time of images, with each of them.
    Points stay that a chosen image shows, or that no image does; their ids are counted anew.
    """
    times = np.unique(capture.images.timestamps[chosen]), np.unique(capture.images.timestamps)
    track = capture.trajectory
    rows = _with_images(track.timestamps, *times)
    return replace(
        capture,
        images=_records(capture.images, chosen),
        trajectory=Trajectory(
            track.timestamps[rows], *_devices(track.devices[rows], track.device_ids), track.quat_wxyz[rows],
            track.translation[rows],
        ),
        others={kind: _records(own, _with_images(own.timestamps, *times)) for kind, own in capture.others.items()},
        readings={kind: _readings(own, _with_images(own.timestamps, *times)) for kind, own in capture.readings.items()},
        reconstruction=None if capture.reconstruction is None else _reconstruction(capture, chosen),
    )  # fmt: skip


def _with_images(wanted: np.ndarray, own: Int64[np.ndarray, "t"], every: Int64[np.ndarray, "u"]) -> np.ndarray:
    """Which of the wanted times have the image nearest in time among those of `own` (both sorted, unique)."""
    if not len(every):
        return np.ones(len(wanted), bool)
    after = np.clip(np.searchsorted(every, wanted), 0, len(every) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(wanted - every[before]) <= np.abs(every[after] - wanted), before, after)
    return np.isin(every[nearest], own)


def _devices(devices: np.ndarray, ids: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The rows' devices, ids without rows left out."""
    used, index = np.unique(devices, return_inverse=True)
    return index.astype(np.int32), tuple(ids[device] for device in used.tolist())


def _records(records: Records, rows: np.ndarray) -> Records:
    devices, ids = _devices(records.devices[rows], records.device_ids)
    return Records(records.timestamps[rows], devices, ids, _texts(records.names, rows))


def _readings(readings: Readings, rows: np.ndarray) -> Readings:
    columns = {
        name: column[rows] if isinstance(column, np.ndarray) else _texts(column, rows)
        for name, column in readings.columns.items()
    }
    return Readings(readings.timestamps[rows], *_devices(readings.devices[rows], readings.device_ids), columns)


def _texts(texts: Sequence[str], rows: np.ndarray) -> list[str]:
    return [texts[row] for row in np.flatnonzero(rows).tolist()]


def _reconstruction(capture: Capture, chosen: np.ndarray) -> Reconstruction:
    assert capture.reconstruction is not None  # noqa: S101 - the caller looked
    work, names = capture.reconstruction, set(_texts(capture.images.names, chosen))
    points, observations = _points(work, chosen)
    return Reconstruction(
        points,
        observations,
        {kind: _features(own, names) for kind, own in work.keypoints.items()},
        {kind: _features(own, names) for kind, own in work.descriptors.items()},
        {kind: _features(own, names) for kind, own in work.global_features.items()},
        {kind: _pairs(own, names) for kind, own in work.matches.items()},
    )


def _features(features: Features, names: set[str]) -> Features:
    return replace(features, images=[name for name in features.images if name in names])


def _pairs(matches: MatchedPairs, names: set[str]) -> MatchedPairs:
    return replace(matches, pairs=Pairs.of(matches.pairs).among(names))


def _points(work: Reconstruction, chosen: np.ndarray) -> tuple[Points | None, dict[str, Observations]]:
    """The points that are left and the observations of chosen images, both numbered anew."""
    image_rows = np.cumsum(chosen) - 1
    kept = {kind: chosen[seen.images] for kind, seen in work.observations.items()}
    if work.points is None:
        return None, {}
    was_seen, is_seen = np.zeros(len(work.points), bool), np.zeros(len(work.points), bool)
    for kind, seen in work.observations.items():
        was_seen[seen.points] = True
        is_seen[seen.points[kept[kind]]] = True
    stays = is_seen | ~was_seen
    point_rows = np.cumsum(stays) - 1
    observations = {
        kind: Observations(
            point_rows[seen.points[kept[kind]]].astype(np.int32),
            image_rows[seen.images[kept[kind]]].astype(np.int32),
            seen.keypoints[kept[kind]],
        )
        for kind, seen in work.observations.items()
    }
    points = work.points
    rgb, errors = (None if column is None else column[stays] for column in (points.rgb, points.errors))
    return Points(points.xyz[stays], rgb, errors), observations
