"""A COLMAP model as a Capture."""

from __future__ import annotations

import numpy as np

from ...data.capture import Capture, Sensor
from ...data.reconstruction import Features, InMemory, Observations, Points, Reconstruction
from ...data.records import Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ..base import ReadOptions
from ..images import FolderImages, first_unsafe
from ..remarks import Remarks
from .model import ColmapImages, ColmapModel, ColmapRig, image_rows_of

KEYPOINTS_TYPE = "colmap"


def sensor_id(camera: int) -> str:
    """The id that a camera gets, the same as in kapture's own import."""
    return f"cam_{camera:05d}"


def rig_id(rig: int) -> str:
    """The id that a rig gets."""
    return f"rig_{rig:05d}"


def capture_of(model: ColmapModel, files: FolderImages | None, options: ReadOptions, remarks: Remarks) -> Capture:
    """Timestamps are image ids; frame ids where cameras stand on rigs, so that a frame's images share one."""
    if unsafe := first_unsafe(model.images.names):
        raise DataError(f"{model.file('images')}: image {model.images.names[unsafe[0]]!r}: {unsafe[1]}")
    # COLMAP's own convention is vloc's, 0.5; the option is for models that were made with another.
    shift = 0.5 - options.pixel_center
    sensors = {sensor_id(n): Sensor("camera", camera=c.shifted(shift)) for n, c in model.cameras.items()}
    with_rigs = any(len(rig.sensors) > 1 for rig in model.rigs)
    times = _frame_of_image(model) if with_rigs else model.images.ids
    records, order = _records(model, times)
    return Capture(
        sensors,
        records,
        _rig_trajectory(model) if with_rigs else _trajectory(model.images, records, order),
        _rig_members(model, remarks) if with_rigs else (),
        reconstruction=_reconstruction(model, order, shift),
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _records(model: ColmapModel, times: np.ndarray) -> tuple[Records, np.ndarray]:
    """The records, and which image each row of them is."""
    images = model.images
    ids = sorted({sensor_id(camera) for camera in images.camera_ids.tolist()})
    index = {name: i for i, name in enumerate(ids)}
    devices = np.array([index[sensor_id(camera)] for camera in images.camera_ids.tolist()], np.int32)
    order = np.lexsort((devices, times))
    times, devices = times[order], devices[order]
    twice = np.flatnonzero((np.diff(times) == 0) & (np.diff(devices) == 0))
    if len(twice):
        what = f"frame {times[twice[0]]} has two images of camera {ids[devices[twice[0]]]}"
        raise DataError(f"{model.file('frames')}: {what}")
    return Records(times, devices, tuple(ids), [images.names[i] for i in order.tolist()]), order


def _trajectory(images: ColmapImages, records: Records, order: np.ndarray) -> Trajectory:
    poses = images.poses[order]
    return Trajectory(records.timestamps, records.devices, records.device_ids, poses[:, :4], poses[:, 4:])


def _frame_of_image(model: ColmapModel) -> np.ndarray:
    """The frame id of each image; DataError where frames and images do not fit."""
    frame_of = {image: frame.frame_id for frame in model.frames for kind, _, image in frame.data if kind == "CAMERA"}
    for number, name in zip(model.images.ids.tolist(), model.images.names, strict=True):
        if number not in frame_of:
            raise DataError(f"{model.file('frames')}: image '{name}' ({number}) is in no frame")
    return np.array([frame_of[number] for number in model.images.ids.tolist()], np.int64)


def _rig_trajectory(model: ColmapModel) -> Trajectory:
    """Poses of rigs; of the camera itself where it stands alone."""
    devices = {rig.rig_id: _device_of(rig) for rig in model.rigs}
    for frame in model.frames:
        if frame.rig_id not in devices:
            what = f"frame {frame.frame_id} is of rig {frame.rig_id}, which {model.file('rigs').name} lacks"
            raise DataError(f"{model.file('frames')}: {what}")
    poses = np.array([frame.pose for frame in model.frames]).reshape(-1, 7)
    ids = sorted(set(devices.values()))
    index = np.array([ids.index(devices[frame.rig_id]) for frame in model.frames], np.int32)
    times = np.array([frame.frame_id for frame in model.frames], np.int64)
    order = np.lexsort((index, times))
    return Trajectory(times[order], index[order], tuple(ids), poses[order, :4], poses[order, 4:])


def _device_of(rig: ColmapRig) -> str:
    if len(rig.sensors) == 1 and rig.sensors[0][0] == "CAMERA":
        return sensor_id(rig.sensors[0][1])
    return rig_id(rig.rig_id)


def _rig_members(model: ColmapModel, remarks: Remarks) -> tuple[RigMember, ...]:
    members = []
    for rig in (rig for rig in model.rigs if len(rig.sensors) > 1):
        for kind, number, pose in rig.sensors:
            if kind == "CAMERA" and number in model.cameras:
                members.append(RigMember(rig_id(rig.rig_id), sensor_id(number), pose))
            else:
                remarks.lose(model.file("rigs"), "sensors left out: no such camera", first=f"{kind} {number}")
    return tuple(members)


def _reconstruction(model: ColmapModel, order: np.ndarray, shift: float) -> Reconstruction | None:
    images, points = model.images, model.points
    if not len(points.ids) and not len(images.keypoints):
        return None
    row_of_image = np.empty(len(images), np.int32)
    row_of_image[order] = np.arange(len(images))
    keypoints = {
        name: images.keypoints[images.offsets[i] : images.offsets[i + 1]] + shift for i, name in enumerate(images.names)
    }
    observations = Observations(
        np.repeat(np.arange(len(points.ids), dtype=np.int32), np.diff(points.offsets)),
        row_of_image[image_rows_of(model)],
        points.tracks[:, 1].astype(np.int32),
    )
    names = sorted(keypoints)
    features = Features("colmap", np.dtype(np.float64), 2, names, InMemory(keypoints))
    return Reconstruction(
        Points(points.xyz, points.rgb, points.errors), {KEYPOINTS_TYPE: observations}, {KEYPOINTS_TYPE: features}
    )
