"""Rigs: sensors that move together, and the poses their images get through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..geometry.rigid import Rigid

if TYPE_CHECKING:
    from .capture import Records, Trajectory


@dataclass(frozen=True, eq=False)
class RigMember:
    """A sensor (or another rig) that is part of a rig; `sensor_from_rig` is None where the geometry is unknown."""

    rig_id: str
    sensor_id: str
    sensor_from_rig: Rigid | None


def rig_chains(members: Sequence[RigMember]) -> dict[str, list[tuple[str, Rigid]]]:
    """For every sensor, each rig it hangs on, directly or through other rigs, with `sensor_from_rig`.

    DataError where rigs contain each other in a circle.
    """
    parents: dict[str, list[tuple[str, Rigid]]] = {}
    for member in members:
        if member.sensor_from_rig is not None:
            parents.setdefault(member.sensor_id, []).append((member.rig_id, member.sensor_from_rig))
    return {sensor: _ancestors(sensor, parents, ()) for sensor in parents}


def _ancestors(device: str, parents: dict[str, list[tuple[str, Rigid]]], seen: tuple[str, ...]) -> list[tuple[str, Rigid]]:
    if device in seen:
        raise DataError(f"rigs.txt: rigs contain each other in a circle: {' -> '.join((*seen, device))}")
    found = []
    for rig, device_from_rig in parents.get(device, []):
        found.append((rig, device_from_rig))
        for ancestor, rig_from_ancestor in _ancestors(rig, parents, (*seen, device)):
            found.append((ancestor, device_from_rig @ rig_from_ancestor))
    return found


def compose_rigs(records: Records, trajectory: Trajectory, members: Sequence[RigMember]) -> tuple[Rigid, np.ndarray]:
    """`cam_from_world` of every record and which records have one: its own pose first, else through its nearest rig."""
    poses, known = Rigid.identity(len(records)), np.zeros(len(records), bool)
    full = np.isfinite(trajectory.quat_wxyz).all(1) & np.isfinite(trajectory.translation).all(1)
    chains = rig_chains(members)
    for index, device in enumerate(records.device_ids):
        rows = np.flatnonzero(records.devices == index)
        for ancestor, device_from_ancestor in [(device, None), *chains.get(device, [])]:
            _fill(poses, known, records, rows, trajectory, full, ancestor, device_from_ancestor)
    return poses, known


def _fill(
    poses: Rigid, known: np.ndarray, records: Records, rows: np.ndarray, trajectory: Trajectory, full: np.ndarray,
    ancestor: str, device_from_ancestor: Rigid | None,
) -> None:
    """Write the poses that `ancestor`'s trajectory gives to those of `rows` that still lack one."""
    if ancestor not in trajectory.device_ids:
        return
    of_ancestor = np.flatnonzero((trajectory.devices == trajectory.device_ids.index(ancestor)) & full)
    if len(of_ancestor) == 0:
        return
    rows = rows[~known[rows]]
    times = trajectory.timestamps[of_ancestor]
    place = np.minimum(np.searchsorted(times, records.timestamps[rows]), len(times) - 1)
    hit = times[place] == records.timestamps[rows]
    source = of_ancestor[place[hit]]
    world = Rigid.from_quat_wxyz(trajectory.quat_wxyz[source], trajectory.translation[source])
    found = world if device_from_ancestor is None else device_from_ancestor @ world
    poses.rotation[rows[hit]] = found.rotation
    poses.translation[rows[hit]] = found.translation
    known[rows[hit]] = True
