"""A map's points and poses as a capture with a reconstruction, which any format can be asked to hold."""

from __future__ import annotations

import numpy as np

from ..data.capture import Capture, Sensor
from ..data.reconstruction import Features, InMemory, Observations, Points, Reconstruction
from ..data.records import Records, Trajectory
from ..data.sparse_map import NO_POINT, SparseMap
from ..map import Map
from ..map_source import source_of


def capture_of_map(folder: str) -> Capture:
    """The sparse map in a folder, with the image files of the capture it was made from where they are still there."""
    map_ = Map.open(folder)
    sparse, source = map_.sparse, source_of(map_)
    devices = [f"cam{camera}" for camera in sparse.camera_of_image]
    rows = [(time, devices[time], name) for time, name in enumerate(sparse.image_names)]
    poses = [(time, devices[time], sparse.cam_from_world[time]) for time in range(len(rows))]
    return Capture(
        {f"cam{i}": Sensor("camera", f"cam{i}", camera) for i, camera in enumerate(sparse.cameras)},
        Records.from_rows(rows),
        Trajectory.from_rows(poses),
        reconstruction=reconstruction(map_),
        files=source.files if source else None,
        notes=() if source else ("the map's own images were not found; their files are not in the output",),
    )


def reconstruction(map_: Map) -> Reconstruction:
    """Points, the keypoints of every image, and which of them show which point."""
    kind = type(map_.config.extract).plugin_name
    names = list(map_.sparse.image_names)
    keypoints = InMemory({name: map_.features[name].keypoints for name in names})
    return Reconstruction(
        Points(map_.sparse.points, map_.sparse.colors, map_.sparse.point_errors.astype(np.float64)),
        {kind: observations(map_.sparse)},
        {kind: Features(kind, np.dtype(np.float32), 2, names, keypoints)},
    )


def observations(sparse: SparseMap) -> Observations:
    """The observations of all images, sorted by point."""
    shown = np.flatnonzero(sparse.point_of_keypoint != NO_POINT)
    shown = shown[np.argsort(sparse.point_of_keypoint[shown], kind="stable")]
    images = np.searchsorted(sparse.offsets, shown, side="right") - 1
    keypoints = shown - sparse.offsets[images]
    return Observations(sparse.point_of_keypoint[shown], images.astype(np.int32), keypoints.astype(np.int32))
