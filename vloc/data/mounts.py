"""Where the cameras of a rig are mounted, from poses of their images, and how well that agrees with these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError
from ..geometry.averaging import RobustMean, robust_mean
from ..geometry.rigid import Rigid
from .capture import Capture
from .rigs import RigMember

LEAST_PAIRS = 3
"""instants that two cameras must have in common: with two nobody tells which is wrong"""

Poses = Mapping[str, Mapping[int, Rigid]]
"""camera -> time -> its `cam_from_world`"""


@dataclass(frozen=True, eq=False)
class Mount:
    """A camera on a rig: its pose there, and the residuals of what each of so many instants says of it."""

    camera: str
    cam_from_rig: Rigid
    num_instants: int
    num_agreeing: int
    median_deg: float
    median_m: float


def poses_by_camera(capture: Capture, poses: Mapping[str, Rigid]) -> dict[str, dict[int, Rigid]]:
    """The poses of a capture's images (by name) by what took them, and when; others are left out."""
    found: dict[str, dict[int, Rigid]] = defaultdict(dict)
    for name, pose in poses.items():
        if name in capture.row_of:
            found[capture.device(name)][int(capture.images.timestamps[capture.row_of[name]])] = pose
    return dict(found)


def estimate_mounts(poses: Poses, reference: str | None = None) -> list[Mount]:
    """Where every camera is mounted in the axes of the reference camera, unless told the one with most poses.

    Cameras that are never placed together with the reference hang on those that are; of several ways the one with most
    instants in common counts. DataError for a camera that shares fewer than three instants with all of these.
    """
    if not poses or (reference is not None and reference not in poses):
        raise DataError(
            f"no image of camera '{reference}' has a pose"
            if poses
            else "no image has a pose (--poses names a file of them)"
        )
    reference = reference or max(poses, key=lambda camera: len(poses[camera]))
    count = len(poses[reference])
    found = {reference: Mount(reference, Rigid.identity(), count, count, 0.0, 0.0)}
    while missing := sorted(poses.keys() - found.keys()):
        links = [(len(poses[a].keys() & poses[b].keys()), a, b) for a in found for b in missing]
        most, near, camera = max(links)
        if most < LEAST_PAIRS:
            raise DataError(
                f"camera '{missing[0]}': {most} instants at which it and a camera on the rig of '{reference}' have a "
                f"pose, expected {LEAST_PAIRS} at least"
            )
        found[camera] = _mounted(poses, camera, found[near])
    return list(found.values())


def check_mounts(poses: Poses, members: Mapping[str, Rigid]) -> list[Mount]:
    """How far the poses are from known mounts (camera -> `cam_from_rig`); the camera with most poses is as it is said.

    `cam_from_rig` is what the poses say. DataError as in `estimate_mounts`.
    """
    seen = {camera: poses[camera] for camera in members if camera in poses}
    mounts = estimate_mounts(seen)
    first = members[mounts[0].camera]
    return [replace(mount, cam_from_rig=mount.cam_from_rig @ first) for mount in mounts]


def members_of(mounts: list[Mount], rig: str = "rig") -> list[RigMember]:
    """As members of a rig."""
    return [RigMember(rig, mount.camera, mount.cam_from_rig) for mount in mounts]


def _mounted(poses: Poses, camera: str, near: Mount) -> Mount:
    """A camera by its poses and those of another one at the same times."""
    found = robust_mean(relative(poses, camera, near.camera))
    return _told(camera, found.mean @ near.cam_from_rig, found)


def relative(poses: Poses, camera: str, other: str) -> Rigid:
    """`camera_from_other` at every time at which both have a pose."""
    times = sorted(poses[camera].keys() & poses[other].keys())
    return Rigid.stack([poses[camera][time] @ poses[other][time].inverse() for time in times])


def _told(camera: str, cam_from_rig: Rigid, found: RobustMean) -> Mount:
    agrees = found.agrees
    residuals = float(np.degrees(np.median(found.radians[agrees]))), float(np.median(found.metres[agrees]))
    return Mount(camera, cam_from_rig, len(agrees), int(agrees.sum()), *residuals)
