"""Several captures of one place as one: names and ids that clash are renamed by a prefix, or the merge is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import DataError
from .capture import Capture, ImageFiles, Sensor
from .merging_results import merge_results
from .records import Readings, Records, Trajectory
from .rigs import RigMember

HINT = "give a prefix for each capture"
Row = tuple[int, str]


@dataclass(frozen=True, eq=False)
class RenamedFiles:
    """Image files of several captures: name -> (files, name in them)."""

    sources: Mapping[str, tuple[ImageFiles | None, str]]

    def read(self, name: str) -> bytes:
        """The encoded image; DataError names it when it is missing."""
        files, own = self.sources.get(name, (None, name))
        if files is None:
            raise DataError(f"image '{name}': the capture it comes from has no image files")
        return files.read(own)

    def stamp(self, name: str) -> str:
        """The stamp of its source; 'missing' where there is none."""
        files, own = self.sources.get(name, (None, name))
        return "missing" if files is None else files.stamp(own)


@dataclass
class _Merged:
    """What was merged so far; `poses` and `rows` (by kind of record) by (timestamp, device)."""

    sensors: dict[str, Sensor] = field(default_factory=dict)
    members: dict[tuple[str, str], RigMember] = field(default_factory=dict)
    poses: dict[Row, np.ndarray] = field(default_factory=dict)
    rows: dict[str, set[Row]] = field(default_factory=dict)

    @property
    def devices(self) -> set[str]:
        return {*self.sensors, *(rig for rig, _ in self.members)}


def merge(captures: Sequence[Capture], prefixes: Sequence[str] | None = None) -> Capture:
    """One capture of all sensors, records, poses and results; their world coordinates must be the same already.

    With `prefixes`, one for each capture, image names become `prefix/name`. Equal sensors and rigs are shared where
    their rows do not clash, others become `prefix_id`. DataError for a clash without prefixes.
    """
    given = _checked(prefixes, len(captures))
    merged = _Merged()
    parts = [_with_prefix(capture, prefix, merged) for capture, prefix in zip(captures, given, strict=True)]
    images = _records([part.images for part in parts])
    kinds = dict.fromkeys(kind for part in parts for kind in part.others)
    reading_kinds = dict.fromkeys(kind for part in parts for kind in part.readings)
    work, lost = merge_results(parts, [capture.images.names for capture in captures], given, images.names)
    return Capture(
        merged.sensors,
        images,
        _trajectory(merged.poses),
        tuple(merged.members.values()),
        {kind: _records([part.others[kind] for part in parts if kind in part.others]) for kind in kinds},
        {kind: _readings([part.readings[kind] for part in parts if kind in part.readings]) for kind in reading_kinds},
        work,
        RenamedFiles(_files(captures, parts)),
        captures[0].pixel_center,
        tuple(dict.fromkeys(note for capture in captures for note in capture.notes)),
        (*dict.fromkeys(line for capture in captures for line in capture.left_out), *lost),
    )


def _checked(prefixes: Sequence[str] | None, count: int) -> list[str]:
    if count == 0:
        raise DataError("nothing to merge: expected one capture or more")
    if not prefixes:
        return [""] * count
    if len(prefixes) != count:
        raise DataError(f"{len(prefixes)} prefixes for {count} captures, expected one for each")
    if len(set(prefixes)) != count or "" in prefixes:
        raise DataError(f"prefixes {', '.join(map(repr, prefixes))}: expected different ones, none empty")
    return list(prefixes)


def _with_prefix(capture: Capture, prefix: str, merged: _Merged) -> Capture:
    """The capture with its new names and ids, its sensors, rigs and poses already in `merged`."""
    new_ids, clashes = dict[str, str](), _clashes(capture, merged)
    for component in _components(capture):
        reason = next((clashes[device] for device in component if device in clashes), "")
        if reason and not prefix:
            raise DataError(f"{reason}; {HINT}")
        new_ids |= {device: f"{prefix}_{device}" if reason else device for device in component}
    taken = sorted({new for old, new in new_ids.items() if new != old} & {*merged.devices, *new_ids})
    if taken:
        raise DataError(f"'{taken[0]}' is there already; choose another prefix than '{prefix}'")
    merged.sensors |= {new_ids[old]: sensor for old, sensor in capture.sensors.items()}
    for member in capture.rigs:
        new = replace(member, rig_id=new_ids[member.rig_id], sensor_id=new_ids[member.sensor_id])
        merged.members[new.rig_id, new.sensor_id] = new
    merged.poses |= {(time, new_ids[device]): pose for (time, device), pose in _poses(capture.trajectory).items()}
    for kind, (time, device) in _record_rows(capture):
        merged.rows.setdefault(kind, set()).add((time, new_ids[device]))
    return replace(
        capture,
        images=_renamed(capture.images, prefix, new_ids),
        others={kind: _renamed(own, prefix, new_ids) for kind, own in capture.others.items()},
        readings={
            kind: replace(own, device_ids=tuple(new_ids[device] for device in own.device_ids))
            for kind, own in capture.readings.items()
        },
    )


def _renamed(records: Records, prefix: str, new_ids: Mapping[str, str]) -> Records:
    names = [f"{prefix}/{name}" for name in records.names] if prefix else list(records.names)
    return replace(records, device_ids=tuple(new_ids[device] for device in records.device_ids), names=names)


def _components(capture: Capture) -> list[list[str]]:
    """Sensors and rigs that hang together through rigs: they keep their ids together or change them together."""
    devices = {*capture.sensors, *capture.trajectory.device_ids, *(d for _, (_, d) in _record_rows(capture))}
    group = {device: {device} for device in sorted(devices)}
    for member in capture.rigs:
        rig = group.setdefault(member.rig_id, {member.rig_id})
        joined = rig | group.setdefault(member.sensor_id, {member.sensor_id})
        group |= dict.fromkeys(joined, joined)
    return [sorted(own) for own in {id(own): own for own in group.values()}.values()]


def _clashes(capture: Capture, merged: _Merged) -> dict[str, str]:
    """Why devices cannot be the ones of the same ids in `merged`."""
    found = {}
    for kind, (time, device) in _record_rows(capture):
        if (time, device) in merged.rows.get(kind, ()):
            found[device] = f"'{device}' has a {kind} record at {time} in another capture too"
    for (time, device), pose in _poses(capture.trajectory).items():
        if not np.array_equal(merged.poses.get((time, device), pose), pose, equal_nan=True):
            found[device] = f"'{device}' has another pose at {time} in another capture"
    own_rigs, known_rigs = _rigs(capture.rigs), _rigs(merged.members.values())
    for device in merged.devices & {*capture.sensors, *own_rigs}:
        same_sensor = capture.sensors.get(device) == merged.sensors.get(device)
        if not same_sensor or own_rigs.get(device) != known_rigs.get(device):
            found[device] = f"'{device}' is another sensor or rig in another capture"
    return found


def _rigs(members: Iterable[RigMember]) -> dict[str, dict[str, Any]]:
    """The members of each rig with their poses as plain numbers, to compare."""
    rigs: dict[str, dict[str, Any]] = {}
    for member in members:
        pose = member.sensor_from_rig
        numbers = None if pose is None else (pose.rotation.tolist(), pose.translation.tolist())
        rigs.setdefault(member.rig_id, {})[member.sensor_id] = numbers
    return rigs


def _poses(track: Trajectory) -> dict[Row, np.ndarray]:
    numbers = np.hstack([track.quat_wxyz, track.translation])
    keys = zip(track.timestamps.tolist(), track.devices.tolist(), strict=True)
    return {(time, track.device_ids[device]): row for (time, device), row in zip(keys, numbers, strict=True)}


def _record_rows(capture: Capture) -> Iterator[tuple[str, Row]]:
    """(kind, (timestamp, device)) of every record and reading."""
    kinds: dict[str, Records | Readings] = {"camera": capture.images, **capture.others, **capture.readings}
    for kind, own in kinds.items():
        for time, device in zip(own.timestamps.tolist(), own.devices.tolist(), strict=True):
            yield kind, (time, own.device_ids[device])


def _files(captures: Sequence[Capture], parts: Sequence[Capture]) -> dict[str, tuple[ImageFiles | None, str]]:
    """Where each file comes from; DataError for a name that several captures have."""
    sources: dict[str, tuple[ImageFiles | None, str]] = {}
    for capture, part in zip(captures, parts, strict=True):
        pairs = zip(_names(part), _names(capture), strict=True)
        new = {name: (capture.files, own) for name, own in pairs}
        if twice := [name for name in new if name in sources]:
            raise DataError(f"image '{twice[0]}' ({len(twice)} in all) is in several captures; {HINT}")
        sources |= new
    return sources


def _names(capture: Capture) -> list[str]:
    return [name for records in (capture.images, *capture.others.values()) for name in records.names]


def _records(parts: Sequence[Records]) -> Records:
    return Records.from_rows(
        [
            (time, part.device_ids[device], name)
            for part in parts
            for time, device, name in zip(part.timestamps.tolist(), part.devices.tolist(), part.names, strict=True)
        ]
    )


def _readings(parts: Sequence[Readings]) -> Readings:
    """Rows of all parts, stably sorted by (timestamp, device id)."""
    ids = tuple(sorted({device for part in parts for device in part.device_ids}))
    places = [np.array([ids.index(device) for device in part.device_ids], np.int32) for part in parts]
    times = np.concatenate([part.timestamps for part in parts])
    devices = np.concatenate([place[part.devices] for place, part in zip(places, parts, strict=True)])
    order = np.lexsort((devices, times))
    columns: dict[str, np.ndarray | Sequence[str]] = {}
    for name in parts[0].columns:
        values = [part.columns[name] for part in parts]
        if all(isinstance(value, np.ndarray) for value in values):
            columns[name] = np.concatenate(values)[order]
        else:
            texts = [text for value in values for text in value]
            columns[name] = [texts[row] for row in order.tolist()]
    return Readings(times[order], devices[order], ids, columns)


def _trajectory(poses: Mapping[Row, np.ndarray]) -> Trajectory:
    if not poses:
        return Trajectory.empty()
    rows = sorted(poses)
    ids = tuple(sorted({device for _, device in rows}))
    index = {device: i for i, device in enumerate(ids)}
    numbers = np.array([poses[row] for row in rows], np.float64)
    devices = np.array([index[device] for _, device in rows], np.int32)
    return Trajectory(np.array([time for time, _ in rows], np.int64), devices, ids, numbers[:, :4], numbers[:, 4:])
