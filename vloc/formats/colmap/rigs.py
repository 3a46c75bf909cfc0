"""The rigs of a Capture as COLMAP's rigs and frames, where each camera is always part of the same rig."""

from __future__ import annotations

import numpy as np

from ...data.capture import Capture
from ...data.rigs import rig_chains
from ...geometry.rigid import Rigid
from .model import ColmapFrame, ColmapRig, pose_numbers

# A camera without a rig is its own owner.
Owners = dict[str, tuple[str, Rigid]]


def rigs_of(
    capture: Capture, posed: np.ndarray, numbers: dict[str, int]
) -> tuple[tuple[ColmapRig, ...], tuple[ColmapFrame, ...]]:
    """Rigs and frames of the posed images, image ids counting from 1; nothing where they do not fit or there are none.

    COLMAP's rig has the frame of its first camera, the reference; ours its own. So poses move along with it.
    """
    owners = _owners(capture, posed, numbers)
    rig_ids = {owner: number for number, owner in enumerate(dict.fromkeys(o for o, _ in owners.values()), start=1)}
    if not owners or len(rig_ids) == len(owners):
        return (), ()
    references: Owners = {}
    for sensor, (owner, sensor_from_rig) in owners.items():
        references.setdefault(owner, (sensor, sensor_from_rig))
    from_reference = {
        sensor: sensor_from_rig @ references[owner][1].inverse() for sensor, (owner, sensor_from_rig) in owners.items()
    }
    rigs = tuple(
        ColmapRig(
            number, tuple(("CAMERA", numbers[s], from_reference[s]) for s, (owner, _) in owners.items() if owner == rig)
        )
        for rig, number in rig_ids.items()
    )
    return rigs, _frames(capture, posed, numbers, {s: rig_ids[o] for s, (o, _) in owners.items()}, from_reference)


def _owners(capture: Capture, posed: np.ndarray, numbers: dict[str, int]) -> Owners:
    """The one rig, with `sensor_from_rig`, that always gives each camera its pose; empty where one has several."""
    track, images, chains, owners = capture.trajectory, capture.images, rig_chains(capture.rigs), Owners()
    full = np.isfinite(track.quat_wxyz).all(1) & np.isfinite(track.translation).all(1)
    for sensor in numbers:
        own = posed[images.devices[posed] == images.device_ids.index(sensor)]
        for device, sensor_from_device in [(sensor, Rigid.identity()), *chains.get(sensor, [])]:
            if device not in track.device_ids:
                continue
            times = track.timestamps[(track.devices == track.device_ids.index(device)) & full]
            covered = np.isin(images.timestamps[own], times)
            if covered.any():
                owners[sensor] = device, sensor_from_device
                break
        if sensor not in owners or not covered.all():
            return {}
    return owners


def _frames(
    capture: Capture,
    posed: np.ndarray,
    numbers: dict[str, int],
    rig_of: dict[str, int],
    from_reference: dict[str, Rigid],
) -> tuple[ColmapFrame, ...]:
    images, poses = capture.images, capture.cam_from_world
    members: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for number, row in enumerate(posed.tolist(), start=1):
        sensor = images.device_ids[images.devices[row]]
        members.setdefault((int(images.timestamps[row]), rig_of[sensor]), []).append((number, sensor))
    frames = []
    for frame_id, ((_, rig), own) in enumerate(members.items(), start=1):
        number, sensor = own[0]
        reference_from_world = from_reference[sensor].inverse() @ poses[posed[number - 1]]
        data = tuple(("CAMERA", numbers[s], n) for n, s in own)
        frames.append(ColmapFrame(frame_id, rig, np.array(pose_numbers(reference_from_world)), data))
    return tuple(frames)
