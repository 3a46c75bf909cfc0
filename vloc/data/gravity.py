"""Which side of a photo is up, by the accelerometer on its camera's rig."""

from __future__ import annotations

import math
from functools import cache, cached_property
from typing import Any

import numpy as np

from ..array_types import Float64, Int64
from ..errors import DataError
from .capture import Capture
from .rigs import rig_chains

AXES = "x_accel", "y_accel", "z_accel"
NUM_READINGS = 25
"""readings nearest in time that are averaged, so that what shakes the camera counts little"""
LEAST_INCLINED = 0.5
"""part of gravity that must lie along the image; in a photo that looks up or down no side is up"""


class Gravity:
    """What the accelerometers of a capture felt when its images were taken."""

    def __init__(self, capture: Capture, instead: str = "--upright exif or none") -> None:
        """DataError where there are none; it ends with what to do `instead`."""
        found = capture.readings.get("accelerometer")
        if found is None or not len(found):
            where = f"{capture.format}: " if capture.format else ""
            raise DataError(f"{where}no accelerometer readings (sensors/records_accelerometer.txt): {instead}")
        self._capture, self._readings, self._instead = capture, found, instead
        self._felt, self._mounted = cache(self._felt_by), cache(self._mounted_on)

    def __reduce__(self) -> tuple[Any, ...]:
        return Gravity, (self._capture.recorded, self._instead)

    def quarter_turns(self, name: str) -> int:
        """Clockwise, to make an image upright; 0 where it looks up or down. DataError where nothing was felt."""
        right, down, forward = self._force(name)
        if math.hypot(right, down) < LEAST_INCLINED * math.hypot(right, down, forward):
            return 0
        return -round(math.atan2(right, -down) / (math.pi / 2)) % 4

    def up(self, name: str) -> Float64[np.ndarray, "3"]:
        """The unit vector that points up, in the axes of an image's camera. DataError where nothing was felt."""
        force = self._force(name)
        if not (size := float(np.linalg.norm(force))):
            raise DataError(f"{name}: its accelerometer felt nothing, as in free fall: {self._instead}")
        return force / size

    def _force(self, name: str) -> Float64[np.ndarray, "3"]:
        """What was felt around the time of an image, in the axes of its camera, m/s^2; at rest it points up."""
        device, cam_from_device = self._mounted(self._capture.device(name))
        times, forces = self._felt(device)
        near = _nearest(times, int(self._capture.images.timestamps[self._capture.row_of[name]]))
        if not len(near):
            raise DataError(f"{name}: accelerometer '{device}' has no reading near it in time: {self._instead}")
        felt: np.ndarray = cam_from_device @ forces[near].mean(axis=0)
        return felt

    @cached_property
    def _chains(self) -> dict[str, dict[str, np.ndarray]]:
        """Sensor -> rig -> rotation from the rig."""
        chains = rig_chains(self._capture.rigs)
        return {sensor: {rig: pose.rotation for rig, pose in above} for sensor, above in chains.items()}

    def _mounted_on(self, camera: str) -> tuple[str, Float64[np.ndarray, "3 3"]]:
        """The first accelerometer on a rig of the camera, and the rotation to the camera's axes."""
        for rig, cam_from_rig in self._chains.get(camera, {}).items():
            for device in self._readings.device_ids:
                if rig in self._chains.get(device, {}):
                    return device, cam_from_rig @ self._chains[device][rig].T
        raise DataError(f"camera '{camera}': rigs.txt places no accelerometer on its rig: {self._instead}")

    def _felt_by(self, device: str) -> tuple[Int64[np.ndarray, "n"], Float64[np.ndarray, "n 3"]]:
        """Times and specific forces, m/s^2, in a sensor's axes."""
        rows = self._readings.devices == self._readings.device_ids.index(device)
        forces = [np.asarray(self._readings.columns[axis], np.float64) for axis in AXES]
        return self._readings.timestamps[rows], np.stack(forces, axis=1)[rows]


def _nearest(times: Int64[np.ndarray, "n"], time: int) -> Int64[np.ndarray, "k"]:
    """Rows of the readings around a time; none where it is farther from all than they are long."""
    at = int(np.searchsorted(times, time))
    around = np.arange(max(0, at - NUM_READINGS), min(len(times), at + NUM_READINGS))
    away = np.abs(times[around] - time)
    rows = around[np.argsort(away, kind="stable")[:NUM_READINGS]]
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return rows if away.min() <= NUM_READINGS * usual else rows[:0]
