"""Captures with an accelerometer on every camera and positions of every photo, as they would have been recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

import vloc
from vloc.data.capture import Sensor
from vloc.data.records import Readings
from vloc.data.rigs import RigMember
from vloc.geometry.rigid import Rigid

AVERAGED = 27
"""readings of every photo, of which vloc averages 25"""


def sensing(queries: vloc.Capture, ups: Mapping[str, np.ndarray], centers: Mapping[str, np.ndarray]) -> vloc.Capture:
    """The capture with sensors that felt so (up in the cameras' axes) and saw that (camera centres, metres)."""
    images = replace(queries.images, timestamps=queries.images.timestamps * 10**6)
    rows = zip(images.timestamps.tolist(), images.devices.tolist(), images.names, strict=True)
    taken = sorted((time, images.device_ids[device], name) for time, device, name in rows)
    forces = [(time + shift, device, 9.81 * ups[name]) for time, device, name in taken for shift in range(AVERAGED)]
    places = [(time, device, centers[name]) for time, device, name in taken]
    readings = {
        "accelerometer": _readings(forces, ("x_accel", "y_accel", "z_accel"), "imu_{}"),
        "gnss": _readings(places, ("x", "y", "z"), "GPS_{}"),
    }
    cameras = images.device_ids
    sensors = {f"imu_{camera}": Sensor("accelerometer") for camera in cameras}
    sensors |= {f"GPS_{camera}": Sensor("gnss", params=("LOCAL",)) for camera in cameras}
    pairs = [(f"rig_{camera}", member) for camera in cameras for member in (camera, f"imu_{camera}")]
    rigs = tuple(RigMember(rig, member, Rigid.identity()) for rig, member in pairs)
    return replace(queries, sensors={**queries.sensors, **sensors}, images=images, rigs=rigs, readings=readings)


def _readings(rows: list[tuple[int, str, np.ndarray]], axes: tuple[str, ...], named: str) -> Readings:
    ids = tuple(sorted({named.format(device) for _, device, _ in rows}))
    values = np.array([value for *_, value in rows])
    devices = np.array([ids.index(named.format(device)) for _, device, _ in rows], np.int32)
    times = np.array([time for time, *_ in rows], np.int64)
    return Readings(times, devices, ids, {axis: values[:, i] for i, axis in enumerate(axes)})
