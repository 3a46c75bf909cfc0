"""A scan as the images of a capture see it: depth records of it, beside the capture's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .data.capture import Capture, ImageFiles, Sensor
from .data.depth import SUFFIX
from .data.records import Records, Trajectory
from .data.rigs import RigMember
from .errors import DataError
from .formats.depth import encode_depth
from .geometry.camera import Camera
from .geometry.rigid import Rigid
from .solvers.ray_casting import RayCaster

ENDING = ".rendered.depth"
"""of the path of an image, for that of its depth map"""


@dataclass(frozen=True, eq=False)
class RenderedFiles:
    """The files of a capture, and depth maps that are rendered when they are read, by the paths of their records."""

    files: ImageFiles | None
    caster: RayCaster
    views: Mapping[str, tuple[Camera, Rigid]]

    def read(self, name: str) -> bytes:
        """A depth map as kapture has it, or what the capture has."""
        if name in self.views:
            return encode_depth(self.caster.depth_map(*self.views[name]).values)
        if self.files is None:
            raise DataError(f"{name}: this capture has no files")
        return self.files.read(name)

    def stamp(self, name: str) -> str:
        """That of the capture's file."""
        if name in self.views:
            return "rendered"
        return "missing" if self.files is None else self.files.stamp(name)


def with_rendered_depth(capture: Capture, caster: RayCaster, longer_side: int) -> Capture:
    """The capture with a depth map of the scan for every image that has a pose, at most so many px wide or high.

    Each camera gets a depth sensor of its own, named as it and `_depth`, in its place on every rig. DataError where no
    image has a pose, or a sensor or record has such a name already.
    """
    images = [name for name in capture.images.names if capture.pose(name) is not None]
    devices = {name: capture.device(name) for name in images}
    views = {name + ENDING: view for name in images if (view := _view(capture, name, longer_side))}
    sensors = {device + SUFFIX: capture.sensors[device] for device in dict.fromkeys(devices.values())}
    taken = (sensors.keys() & capture.sensors.keys()) | (views.keys() & {*_depth_names(capture)})
    if taken or not images:
        raise DataError(f"'{min(taken)}' is in the capture already" if taken else "no image of the capture has a pose")
    made = [
        RigMember(each.rig_id, each.sensor_id + SUFFIX, each.sensor_from_rig)
        for each in capture.rigs
        if each.sensor_id + SUFFIX in sensors and each.sensor_from_rig is not None
    ]
    times = capture.images.timestamps.tolist()
    rows = [(times[capture.row_of[name]], devices[name] + SUFFIX, name + ENDING) for name in images]
    return replace(
        capture,
        sensors={**capture.sensors, **{name: _sensor(name, eye, longer_side) for name, eye in sensors.items()}},
        rigs=(*capture.rigs, *made),
        others={**capture.others, "depth": Records.from_rows([*_depth_rows(capture), *rows])},
        files=RenderedFiles(capture.files, caster, views),
    )


def with_poses(capture: Capture, poses: Mapping[str, Rigid]) -> Capture:
    """The capture with other poses of its images, by name; those that are not among them have none."""
    known = [name for name in capture.images.names if name in poses]
    times = capture.images.timestamps.tolist()
    rows = [(times[capture.row_of[name]], capture.device(name), poses[name]) for name in known]
    trajectory = Trajectory.from_rows(rows) if rows else Trajectory.empty()
    return replace(capture, trajectory=trajectory, rigs=())


def _view(capture: Capture, name: str, longer_side: int) -> tuple[Camera, Rigid] | None:
    pose = capture.pose(name)
    return None if pose is None else (capture.camera(name).reduced(longer_side), pose)


def _sensor(name: str, eye: Sensor, longer_side: int) -> Sensor:
    assert eye.camera is not None  # noqa: S101 - readers refuse camera records of other sensors
    return Sensor("depth", name, eye.camera.reduced(longer_side))


def _depth_rows(capture: Capture) -> list[tuple[int, str, str]]:
    records = capture.others.get("depth")
    if records is None:
        return []
    ids = [records.device_ids[device] for device in records.devices.tolist()]
    return list(zip(records.timestamps.tolist(), ids, records.names, strict=True))


def _depth_names(capture: Capture) -> list[str]:
    return [name for _, _, name in _depth_rows(capture)]
