"""Cars with several cameras in the synthetic gallery, whose photos the tests write in the formats of benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from vloc.datasets.gallery_cameras import drive_pose, rig_pose
from vloc.datasets.gallery_light import by_day
from vloc.datasets.gallery_world import World

import vloc
from vloc.geometry.pose_error import pose_errors

Picture = Callable[[World, vloc.Camera, vloc.Rigid], np.ndarray]
INSTANTS = 3
"""of the car that is localized"""


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo: by which camera, at which stop or instant, from where, and its pixels (red first)."""

    camera: str
    instant: int
    pose: vloc.Rigid
    pixels: np.ndarray

    def save(self, path: Path) -> None:
        """Write the file, in the folder that it is to be in."""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), self.pixels[..., ::-1])


@dataclass(frozen=True, eq=False)
class Drives:
    """What is mapped, and what is localized there."""

    mapping: list[Photo]
    queries: list[Photo]


def drives(
    cameras: Mapping[str, vloc.Camera],
    mounts: Mapping[str, vloc.Rigid],
    num_stops: int,
    picture: Picture = lambda place, camera, pose: place.picture(camera, pose),
) -> Drives:
    """Two drives through a gallery of one room, both by day."""
    place = _gallery()

    def taken(instant: int, rig_from_world: vloc.Rigid) -> list[Photo]:
        poses = {name: mounts[name] @ rig_from_world for name in cameras}
        return [Photo(name, instant, pose, by_day(picture(place, cameras[name], pose))) for name, pose in poses.items()]

    stops = [taken(stop, rig_pose(place, stop, num_stops)) for stop in range(num_stops)]
    instants = [taken(instant, drive_pose(place, 0.3 + 0.2 * instant)) for instant in range(INSTANTS)]
    return Drives([*chain(*stops)], [*chain(*instants)])


@cache
def _gallery() -> World:
    """Once for all benchmarks, as its textures take longer than its photos."""
    return World(0, 1)


def assert_same_poses(found: Mapping[str, vloc.Rigid | None], truth: Mapping[str, vloc.Rigid], metres: float) -> None:
    """The same names, and poses as near as that; as many radians."""
    assert found.keys() == truth.keys()
    for name, pose in truth.items():
        assert found[name] is not None, name
        assert max(pose_errors(found[name], pose)) < metres, name


def poses_of(location: Path) -> dict[str, vloc.Rigid | None]:
    """Image name -> pose of a kapture folder."""
    capture = vloc.read(f"kapture:{location}")
    return {name: capture.pose(name) for name in capture.images.names}
