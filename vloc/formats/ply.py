"""PLY for viewers: a folder with points, cameras as small frusta and trajectories as lines. It is written only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..array_types import Float64, Int32, UInt8
from ..data.capture import Capture, Sensor
from ..data.reconstruction import Points
from ..errors import DataError
from ..geometry.rigid import Rigid
from .base import Format, WriteOptions, register
from .image_folder import GUESSED_FOCAL

# How deep a drawn frustum is, of the diagonal of the box around all cameras; and where they stand at one point, m.
FRUSTUM_SHARE, SMALLEST_FRUSTUM = 0.02, 0.1
CAMERA_COLOR = (220, 50, 47)
# Trajectories take turns with these.
DEVICE_COLORS = ((38, 139, 210), (133, 153, 0), (181, 137, 0), (211, 54, 130), (42, 161, 152), (108, 113, 196))
# A frustum: its centre, then the image's corners clockwise from the top left.
FRUSTUM_EDGES = np.array([(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)])


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """points.ply, cameras.ply and trajectories.ply, those that would not be empty; returns what was lost."""
    path.mkdir()
    points = capture.reconstruction.points if capture.reconstruction else None
    if points is not None and len(points):
        (path / "points.ply").write_bytes(point_cloud(points))
    posed = np.flatnonzero(capture.has_pose)
    if len(posed):
        (path / "cameras.ply").write_bytes(lines(*frusta(capture, posed)))
    vertices, edges, colors = tracks(capture)
    if len(edges):
        (path / "trajectories.ply").write_bytes(lines(vertices, edges, colors))
    if not any(path.iterdir()):
        raise DataError("nothing to draw: the capture has neither points nor poses")
    return _losses(capture, len(posed))


def point_cloud(points: Points) -> bytes:
    """A PLY file of vertices, with colours where they are known."""
    return _vertices_header(len(points), points.rgb is not None) + b"end_header\n" + _rows(points.xyz, points.rgb)


def lines(
    vertices: Float64[np.ndarray, "v 3"], edges: Int32[np.ndarray, "e 2"], colors: UInt8[np.ndarray, "e 3"]
) -> bytes:
    """A PLY file of vertices and coloured edges, as open3d and MeshLab have them."""
    properties = "property int vertex1\nproperty int vertex2\n" + _COLOR_PROPERTIES
    header = _vertices_header(len(vertices), False) + f"element edge {len(edges)}\n{properties}end_header\n".encode()
    table = np.empty(len(edges), [("ends", "<i4", 2), ("rgb", "u1", 3)])
    table["ends"], table["rgb"] = edges, colors
    return header + _rows(vertices, None) + table.tobytes()


_COLOR_PROPERTIES = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))


def _vertices_header(count: int, with_color: bool) -> bytes:
    coordinates = "".join(f"property double {axis}\n" for axis in "xyz")
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{coordinates}"
    return (head + (_COLOR_PROPERTIES if with_color else "")).encode()


def _rows(xyz: np.ndarray, rgb: np.ndarray | None) -> bytes:
    table = np.empty(len(xyz), [("xyz", "<f8", 3), *([("rgb", "u1", 3)] if rgb is not None else [])])
    table["xyz"] = xyz
    if rgb is not None:
        table["rgb"] = rgb
    return table.tobytes()


def frusta(capture: Capture, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (world), edges and their colours of a frustum for each of these rows of the images."""
    poses, images = capture.cam_from_world[posed], capture.images
    diagonal = float(np.linalg.norm(np.ptp(poses.center, axis=0)))
    depth = FRUSTUM_SHARE * diagonal or SMALLEST_FRUSTUM
    shapes = [_frustum(capture.sensors[device]) * depth for device in images.device_ids]
    in_camera = np.stack([shapes[device] for device in images.devices[posed].tolist()])
    world_from_cam = poses.inverse()
    vertices = np.einsum("kij,kvj->kvi", world_from_cam.rotation, in_camera) + world_from_cam.translation[:, None]
    edges = FRUSTUM_EDGES + 5 * np.arange(len(posed))[:, None, None]
    count = len(posed) * len(FRUSTUM_EDGES)
    return vertices.reshape(-1, 3), edges.reshape(-1, 2), np.tile(np.array(CAMERA_COLOR, np.uint8), (count, 1))


def _frustum(sensor: Sensor) -> Float64[np.ndarray, "5 3"]:
    """Centre and image corners at depth 1, in the camera; distortion is left out."""
    camera = sensor.camera
    if camera is None:
        return np.zeros((5, 3))
    corners = np.array([(0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height)], np.float64)
    if camera.is_known:
        rays = (corners - camera.principal_point) / camera.focal
    else:
        rays = (corners - corners[2] / 2) / (GUESSED_FOCAL * max(camera.width, camera.height))
    return np.vstack([np.zeros(3), np.hstack([rays, np.ones((4, 1))])])


def tracks(capture: Capture) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (centres of sensors and rigs, world), edges in the order of time for each device, and their colours."""
    track = capture.trajectory
    full = np.flatnonzero(np.isfinite(track.quat_wxyz).all(1) & np.isfinite(track.translation).all(1))
    centers = Rigid.from_quat_wxyz(track.quat_wxyz[full], track.translation[full]).center
    edges, colors = [np.zeros((0, 2), np.int32)], [np.zeros((0, 3), np.uint8)]
    for device in np.unique(track.devices[full]).tolist():
        rows = np.flatnonzero(track.devices[full] == device)
        edges.append(np.stack([rows[:-1], rows[1:]], axis=1).astype(np.int32))
        colors.append(np.tile(np.array(DEVICE_COLORS[device % len(DEVICE_COLORS)], np.uint8), (len(rows) - 1, 1)))
    return centers, np.concatenate(edges), np.concatenate(colors)


def _losses(capture: Capture, num_posed: int) -> list[str]:
    """What a drawing cannot hold."""
    work = capture.reconstruction
    counts = {
        "images without a pose": len(capture.images) - num_posed,
        "images' names and times": len(capture.images),
        "sensors, of which frusta have the shape": len(capture.sensors),
        "observations": sum(map(len, work.observations.values())) if work else 0,
        "types of features and matches": len(work.keypoints) + len(work.descriptors) + len(work.matches) if work else 0,
        **{f"{kind} records": len(rows) for kind, rows in capture.others.items()},
        **{f"{kind} records": len(rows) for kind, rows in capture.readings.items()},
    }
    return [f"{count} {what}" for what, count in counts.items() if count > 0]


register(
    Format(
        "ply",
        "folder of PLY files to look at: points with colours, cameras as frusta, trajectories; nothing else",
        lambda _: False,
        None,
        write,
    )
)
