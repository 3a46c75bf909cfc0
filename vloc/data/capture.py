"""A capture: what was recorded in a place, in columns. On disk it is a kapture 1.1 folder, or what a format reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from ..array_types import Bool
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .reconstruction import Reconstruction
from .records import Readings, Records, Trajectory
from .rigs import RigMember, compose_rigs


@runtime_checkable
class ImageFiles(Protocol):
    """Where the bytes of images come from (a folder, an archive)."""

    def read(self, name: str) -> bytes:
        """The encoded image; DataError names it when it is missing."""
        ...

    def stamp(self, name: str) -> str:
        """A cheap text that changes when the file does (size and time); 'missing' where there is none."""
        ...


CALIBRATED, GIVEN, EXIF, GUESSED = "calibrated", "given", "EXIF", "guessed"
"""where a focal length can come from: the capture's own calibration, `--camera`, a photo's header, nowhere"""


@dataclass(frozen=True)
class Sensor:
    """Anything that records. Cameras and depth sensors have intrinsics; others keep their parameters as text."""

    kind: str
    name: str = ""
    camera: Camera | None = None
    params: tuple[str, ...] = ()
    focal_source: str = CALIBRATED
    """where the focal length comes from: one of the four above, EXIF with its tag: `EXIF 35 mm tag`"""
    device: str = ""
    """maker, model, lens, image size and focal length in mm, as photos' headers say; equal texts, equal intrinsics"""

    @property
    def has_guessed_focal(self) -> bool:
        """Whether the focal length is made up for want of a better one."""
        return self.focal_source == GUESSED

    @property
    def has_exif_focal(self) -> bool:
        """Whether the focal length is what a photo's header says of the lens, good to some percent."""
        return self.focal_source.startswith(EXIF)

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height (px) of what a camera or depth sensor records."""
        assert self.camera is not None  # noqa: S101 - readers refuse camera records of other sensors
        return self.camera.size

    @property
    def is_rough(self) -> bool:
        """Whether the intrinsics are neither calibrated nor given."""
        return self.has_guessed_focal or self.has_exif_focal


@dataclass(frozen=True, eq=False)
class Capture:
    """Sensors, rigs, camera records and trajectories of one place. Immutable.

    Cameras use vloc's pixel convention (first centre at 0.5); `pixel_center` is what the source was taken to use.
    `others`: records of files that are no images, by sensor kind (depth, lidar); `readings`: records of numbers.
    `notes` are counted remarks of the reader, such as "3 quaternions normalised"; `left_out` counts what the source
    has and the capture lacks, such as "2 rows left out: no such device". `format` is what the source was read as.
    """

    sensors: Mapping[str, Sensor]
    images: Records
    trajectory: Trajectory = field(default_factory=Trajectory.empty)
    rigs: tuple[RigMember, ...] = ()
    others: Mapping[str, Records] = field(default_factory=dict)
    readings: Mapping[str, Readings] = field(default_factory=dict)
    reconstruction: Reconstruction | None = None
    files: ImageFiles | None = None
    pixel_center: float = 0.5
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    format: str = ""

    def __repr__(self) -> str:
        posed = int(self.has_pose.sum())
        return f"Capture({len(self.images)} images, {posed} with poses, {len(self.sensors)} sensors)"

    @property
    def recorded(self) -> Capture:
        """The same without what was computed from it."""
        return replace(self, reconstruction=None)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Image name -> row of `images`."""
        return {name: row for row, name in enumerate(self.images.names)}

    def device(self, name: str) -> str:
        """The id of the sensor that recorded an image, by the image's name."""
        return self.images.device_ids[self.images.devices[self.row_of[name]]]

    def sensor(self, name: str) -> Sensor:
        """What recorded an image, by the image's name."""
        return self.sensors[self.device(name)]

    def camera(self, name: str) -> Camera:
        """The intrinsics of an image, by its name."""
        camera = self.sensor(name).camera
        assert camera is not None  # noqa: S101 - readers refuse camera records of other sensors
        return camera

    @cached_property
    def _image_poses(self) -> tuple[Rigid, np.ndarray]:
        return compose_rigs(self.images, self.trajectory, self.rigs)

    @property
    def cam_from_world(self) -> Rigid:
        """The pose of every row of `images`, through rigs where need be; identity where `has_pose` is False."""
        return self._image_poses[0]

    @property
    def has_pose(self) -> Bool[np.ndarray, "i"]:
        """Which rows of `images` have a full pose."""
        return self._image_poses[1]

    def pose(self, name: str) -> Rigid | None:
        """`cam_from_world` of an image by name, or None."""
        row = self.row_of[name]
        return self.cam_from_world[row] if self.has_pose[row] else None
