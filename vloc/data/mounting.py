"""Which sensor of which rig took each image, at which instant: what ties the poses of images together in a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..array_types import Float64, Int32
from ..geometry.rigid import Rigid
from .capture import Capture
from .instants import Instant, every_instant


@dataclass(frozen=True, eq=False)
class Mounting:
    """Rows are images: each with the numbers of its sensor and of its instant, at which one rig took its images.

    `rig_of_sensor`: a sensor that hangs on no rig is one of its own. `sensors_from_rig`: one for each sensor.
    """

    sensor_of_image: Int32[np.ndarray, "i"]
    instant_of_image: Int32[np.ndarray, "i"]
    rig_of_sensor: Int32[np.ndarray, "s"]
    sensors_from_rig: Rigid

    def images_together(self) -> list[np.ndarray]:
        """The images (rows) of every instant."""
        order = np.argsort(self.instant_of_image, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.instant_of_image[order])) + 1)


def baselines(mounting: Mounting, centers: Float64[np.ndarray, "i 3"]) -> Float64[np.ndarray, "b 2"]:
    """How far apart every two images of an instant are, by their mounts and by the `centers` of all images."""
    rows = [pair for together in mounting.images_together() for pair in combinations(together.tolist(), 2)]
    first, second = np.array(rows, np.int64).reshape(-1, 2).T
    mounted = mounting.sensors_from_rig.center[mounting.sensor_of_image]
    return np.stack([np.linalg.norm(of[second] - of[first], axis=1) for of in (mounted, centers)], axis=1)


def mounting_of(capture: Capture, names: Sequence[str]) -> Mounting | None:
    """How the images of some names are tied; None where no rig took two of them at one time."""
    instants = list(every_instant(capture, names))
    if all(len(instant.names) < 2 for instant in instants):
        return None
    sensors: dict[str, tuple[str, Rigid]] = {}
    for instant in instants:
        sensors |= {capture.device(name): (instant.rig, mount) for name, mount in instant.members}
    rigs = {rig: number for number, rig in enumerate(dict.fromkeys(rig for rig, _ in sensors.values()))}
    number = {sensor: i for i, sensor in enumerate(sensors)}
    return Mounting(
        np.array([number[capture.device(name)] for name in names], np.int32),
        _instants_of(instants, names),
        np.array([rigs[rig] for rig, _ in sensors.values()], np.int32),
        Rigid.stack([mount for _, mount in sensors.values()]),
    )


def _instants_of(instants: Sequence[Instant], names: Sequence[str]) -> Int32[np.ndarray, "i"]:
    found = {name: number for number, instant in enumerate(instants) for name in instant.names}
    return np.array([found[name] for name in names], np.int32)
