"""The odometry of what took the queries: from a file, or the poses that their capture has itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .data.capture import Capture
from .data.records import Trajectory
from .data.rigs import rig_chains
from .data.sequences import ImageSequence
from .errors import DataError
from .formats.access import read
from .geometry.rigid import Rigid
from .solvers.odometry import Odometry
from .stages.sequences import SequenceConfig


def odometry_for(queries: Capture, sequences: Sequence[ImageSequence], config: SequenceConfig) -> dict[str, Odometry]:
    """The odometry of every body that recorded a sequence; DataError where it does not cover the sequence's time.

    Of a file with one trajectory and queries of one body, that one, whatever it is called; else that of the body, or of
    a sensor that the queries' rigs.txt places on it.
    """
    where = config.odometry or "the queries' capture"
    track = (read(config.odometry) if config.odometry else queries).trajectory
    bodies = sorted({sequence.body for sequence in sequences})
    found = {body: _of(body, bodies, track, queries, where) for body in bodies}
    for sequence in sequences:
        _check_times(sequence, found[sequence.body], where)
    return found


def _of(body: str, bodies: Sequence[str], track: Trajectory, queries: Capture, where: str) -> Odometry:
    mounts = {body: Rigid.identity()}
    mounts |= {sensor: above[-1][1] for sensor, above in rig_chains(queries.rigs).items() if above[-1][0] == body}
    device = next((device for device in mounts if device in track.device_ids), None)
    if device is None and len(track.device_ids) == len(bodies) == 1:
        device = track.device_ids[0]
    if device is None:
        known = ", ".join(track.device_ids) or "nothing"
        raise DataError(
            f"{where}: odometry of {known}, expected of '{body}', which took the queries, or of a sensor that rigs.txt "
            "places on it: give it with --odometry"
        )
    rows = (track.devices == track.device_ids.index(device)) & np.isfinite(track.quat_wxyz).all(1)
    rows &= np.isfinite(track.translation).all(1)
    if rows.sum() < 2:
        raise DataError(f"{where}: {rows.sum()} whole poses of '{device}', expected two at least")
    poses = Rigid.from_quat_wxyz(track.quat_wxyz[rows], track.translation[rows])
    mount = mounts.get(device, Rigid.identity()).inverse()
    return Odometry(track.timestamps[rows], Rigid.stack([mount @ poses[i] for i in range(len(poses))]))


def _check_times(sequence: ImageSequence, odometry: Odometry, where: str) -> None:
    """An end may be as far from the odometry's as half its usual step: clocks are rounded."""
    times, known = sequence.times, odometry.times
    slack = np.median(np.diff(known)) / 2
    if times[0] < known[0] - slack or times[-1] > known[-1] + slack:
        raise DataError(
            f"{where}: odometry from {known[0]} to {known[-1]}, expected to cover the queries of '{sequence.body}', "
            f"{times[0]} to {times[-1]}: times must be of one clock and unit, TUM's seconds become nanoseconds"
        )
