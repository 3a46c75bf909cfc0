"""Depth maps of a capture, and the images that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float32
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .capture import Capture
from .features import Arrays
from .rigs import compose_rigs

SAME_PLACE_M, SAME_DIRECTION = 1e-4, 1e-4
"""m, radians; a depth map taken so near an image's pose is registered to it"""
SUFFIX = "_depth"
"""a depth sensor named as a camera and so, and mounted nowhere, is registered to the camera: kapture's convention"""


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Metres along the optical axis at the pixels of a camera; what is 0, negative or not finite is unknown."""

    values: Float32[np.ndarray, "h w"]
    camera: Camera


@dataclass(frozen=True)
class DepthFile:
    """A depth map of a capture, by the path of its record, and the intrinsics of its sensor."""

    name: str
    camera: Camera


@dataclass(frozen=True, eq=False)
class KeypointPlanes:
    """For every keypoint of an image, the plane of the surface that it shows: a X + b Y + c Z = 1 in camera axes, 1/m.

    NaN where depth is unknown.
    """

    planes: Float32[np.ndarray, "n 3"]

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"planes": self.planes}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> KeypointPlanes:
        """The inverse of `to_arrays`."""
        return cls(arrays["planes"])


def depth_files(capture: Capture) -> dict[str, DepthFile]:
    """The depth map of every image that has one taken at the same time from the same place (registered), by image.

    The intrinsics may differ, the resolution too. Of several the first sensor's counts, in the order of their ids.
    """
    records = capture.others.get("depth")
    if records is None or not len(records):
        return {}
    poses, known = compose_rigs(records, capture.trajectory, capture.rigs)
    ids = [records.device_ids[device] for device in records.devices.tolist()]
    at: dict[int, list[int]] = {}
    for row, time in enumerate(records.timestamps.tolist()):
        at.setdefault(time, []).append(row)
    found = {}
    for image, time in enumerate(capture.images.timestamps.tolist()):
        name = capture.images.names[image]
        pose, device = capture.pose(name), capture.device(name)
        for row in at.get(time, ()):
            own = poses[row] if known[row] else None
            if _is_registered(pose, own, named=ids[row] == device + SUFFIX):
                camera = capture.sensors[ids[row]].camera
                assert camera is not None  # noqa: S101 - readers refuse depth records of other sensors
                found[name] = DepthFile(records.names[row], camera)
                break
    return found


def _is_registered(image: Rigid | None, depth: Rigid | None, *, named: bool) -> bool:
    """Whether a depth map was taken where an image was; where its pose is not known, its sensor's name says so."""
    if image is None or depth is None:
        return named and depth is None
    apart = image @ depth.inverse()
    turned = np.linalg.norm(apart.rotation - np.eye(3)) / np.sqrt(2)
    return bool(turned < SAME_DIRECTION and np.linalg.norm(apart.translation) < SAME_PLACE_M)
