"""Rigs: sensors that move together, and the poses their images get through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from ..errors import DataError
from ..geometry.rigid import Rigid
from .records import Records, Trajectory

MAX_RIGS = 1000
"""rigs that one sensor may hang on, so that the work grows with the members and not with their square"""


@dataclass(frozen=True, eq=False)
class RigMember:
    """A sensor (or another rig) that is part of a rig; `sensor_from_rig` is None where the geometry is unknown."""

    rig_id: str
    sensor_id: str
    sensor_from_rig: Rigid | None


def rig_chains(members: Sequence[RigMember]) -> dict[str, list[tuple[str, Rigid]]]:
    """For every sensor, each rig it hangs on, directly or through other rigs, with `sensor_from_rig`; nearest first.

    Of several ways up to one rig the shortest counts, then the first in the order of the members. DataError where rigs
    contain each other in a circle, or where a sensor hangs on more than `MAX_RIGS`.
    """
    parents: dict[str, list[tuple[str, Rigid]]] = {}
    for member in members:
        if member.sensor_from_rig is not None:
            parents.setdefault(member.sensor_id, []).append((member.rig_id, member.sensor_from_rig))
    if circle := rig_circle((rig, device) for device, above in parents.items() for rig, _ in above):
        raise DataError(f"rigs.txt: rigs contain each other in a circle: {' -> '.join(circle)}")
    rigs = {member.rig_id for member in members}
    return {sensor: _ancestors(sensor, parents) for sensor in parents if sensor not in rigs}


def rig_circle(pairs: Iterable[tuple[str, str]]) -> list[str] | None:
    """Devices of (rig, member) pairs of which each is a member of the next, the last the first again; None: no such."""
    above: dict[str, list[str]] = {}
    for rig, member in pairs:
        above.setdefault(rig, []).append(member)
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return None


def _ancestors(sensor: str, parents: Mapping[str, Sequence[tuple[str, Rigid]]]) -> list[tuple[str, Rigid]]:
    """(rig, sensor_from_rig) of every rig above a sensor, level by level."""
    found: dict[str, Rigid] = {}
    level: list[tuple[str, Rigid | None]] = [(sensor, None)]
    while level:
        above: list[tuple[str, Rigid | None]] = []
        for device, sensor_from_device in level:
            for rig, device_from_rig in parents.get(device, ()):
                if rig not in found:
                    found[rig] = sensor_from_device @ device_from_rig if sensor_from_device else device_from_rig
                    above.append((rig, found[rig]))
        if len(found) > MAX_RIGS:
            raise DataError(f"rigs.txt: '{sensor}' hangs on more than {MAX_RIGS} rigs, through one another")
        level = above
    return list(found.items())


def compose_rigs(records: Records, trajectory: Trajectory, members: Sequence[RigMember]) -> tuple[Rigid, np.ndarray]:
    """`cam_from_world` of every record and which records have one: its own pose first, else through its nearest rig."""
    poses, known = Rigid.identity(len(records)), np.zeros(len(records), bool)
    full = np.flatnonzero(np.isfinite(trajectory.quat_wxyz).all(1) & np.isfinite(trajectory.translation).all(1))
    world = Rigid.from_quat_wxyz(trajectory.quat_wxyz[full], trajectory.translation[full])
    times, posed = trajectory.timestamps[full], _rows_by_device(trajectory.devices[full], trajectory.device_ids)
    chains = rig_chains(members)
    for device, rows in _rows_by_device(records.devices, records.device_ids).items():
        for ancestor, device_from_ancestor in [(device, None), *chains.get(device, [])]:
            lacking = rows[~known[rows]]
            if ancestor not in posed or len(lacking) == 0:
                continue
            hit, source = _same_time(records.timestamps[lacking], times, posed[ancestor])
            found = world[source] if device_from_ancestor is None else device_from_ancestor @ world[source]
            poses.rotation[lacking[hit]], poses.translation[lacking[hit]] = found.rotation, found.translation
            known[lacking[hit]] = True
    return poses, known


def _rows_by_device(devices: np.ndarray, device_ids: Sequence[str]) -> dict[str, np.ndarray]:
    """The rows of every device that has any, in their order; one sort, since there may be a device per image."""
    order = np.argsort(devices, kind="stable")
    bounds = np.searchsorted(devices[order], np.arange(len(device_ids) + 1))
    return {name: order[a:b] for name, a, b in zip(device_ids, bounds[:-1], bounds[1:], strict=True) if a < b}


def _same_time(wanted: np.ndarray, times: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which `wanted` timestamps occur among `times[rows]` (sorted), and in which row each first does."""
    place = np.minimum(np.searchsorted(times[rows], wanted), len(rows) - 1)
    hit = times[rows[place]] == wanted
    return hit, rows[place[hit]]
