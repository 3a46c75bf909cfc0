"""The rigs and frames of a COLMAP 4 database, where each camera is part of exactly one rig."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from ...data.capture import Capture
from ...data.rigs import rig_chains
from ...geometry.rigid import Rigid
from ..colmap.model import pose_numbers
from .schema import CAMERA_SENSOR


@dataclass(frozen=True)
class Numbers:
    """COLMAP's ids, from 1, of cameras by sensor id and of images by name."""

    cameras: dict[str, int]
    images: dict[str, int]

    @classmethod
    def of(cls, capture: Capture) -> Numbers:
        """Cameras in the order of their ids, images in the capture's order."""
        used = sorted({capture.images.device_ids[device] for device in np.unique(capture.images.devices).tolist()})
        images = {name: number for number, name in enumerate(capture.images.names, start=1)}
        return cls({sensor: number for number, sensor in enumerate(used, start=1)}, images)


def write_rigs(database: sqlite3.Connection, capture: Capture, numbers: Numbers) -> list[str]:
    """A rig for each outermost rig and each camera without, and a frame for what a rig took at one time."""
    owners, several = _owners(capture, numbers)
    rig_ids = {owner: number for number, owner in enumerate(dict.fromkeys(o for o, _ in owners.values()), start=1)}
    for owner, number in rig_ids.items():
        members = [(sensor, pose) for sensor, (own, pose) in owners.items() if own == owner]
        # The reference, whose frame COLMAP's rig has, must itself have a known place on the rig.
        members.sort(key=lambda member: member[1] is None)
        (reference, reference_from_rig), *others = members
        row = (number, numbers.cameras[reference], CAMERA_SENSOR)
        database.execute("INSERT INTO rigs VALUES (?, ?, ?)", row)
        for sensor, sensor_from_rig in others:
            pose = None
            if sensor_from_rig is not None and reference_from_rig is not None:
                numbers_of_pose = pose_numbers(sensor_from_rig @ reference_from_rig.inverse())
                pose = np.array(numbers_of_pose, "<f8").tobytes()
            row_of_sensor = (number, numbers.cameras[sensor], CAMERA_SENSOR, pose)
            database.execute("INSERT INTO rig_sensors VALUES (?, ?, ?, ?)", row_of_sensor)
    _write_frames(database, capture, numbers, {sensor: rig_ids[owner] for sensor, (owner, _) in owners.items()})
    return [f"{several} cameras on several rigs: written with the nearest one"] if several else []


def _owners(capture: Capture, numbers: Numbers) -> tuple[dict[str, tuple[str, Rigid | None]], int]:
    """The rig of each camera with `sensor_from_rig`, itself where it is on none; how many are on several."""
    chains, several = rig_chains(capture.rigs), 0
    inner = {member.sensor_id for member in capture.rigs}
    unplaced = {m.sensor_id: m.rig_id for m in capture.rigs if m.sensor_from_rig is None}
    owners: dict[str, tuple[str, Rigid | None]] = {}
    for sensor in numbers.cameras:
        outermost = [(rig, pose) for rig, pose in chains.get(sensor, []) if rig not in inner]
        several += len(outermost) > 1
        if outermost:
            owners[sensor] = outermost[0]
        elif sensor in unplaced:
            owners[sensor] = unplaced[sensor], None
        else:
            owners[sensor] = sensor, Rigid.identity()
    return owners, several


def _write_frames(database: sqlite3.Connection, capture: Capture, numbers: Numbers, rig_of: dict[str, int]) -> None:
    images = capture.images
    frames: dict[tuple[int, int], int] = {}
    rows = zip(images.timestamps.tolist(), images.devices.tolist(), images.names, strict=True)
    for time, device, name in rows:
        sensor = images.device_ids[device]
        key = time, rig_of[sensor]
        if key not in frames:
            frames[key] = len(frames) + 1
            database.execute("INSERT INTO frames VALUES (?, ?)", (frames[key], key[1]))
        row = (frames[key], numbers.images[name], numbers.cameras[sensor], CAMERA_SENSOR)
        database.execute("INSERT INTO frame_data VALUES (?, ?, ?, ?)", row)
