"""The surfaces of the synthetic gallery as a scan would have them: triangles of all rooms, as PLY."""

from __future__ import annotations

import numpy as np

from vloc.array_types import Float64, Int32

from .gallery_trace import Quad
from .gallery_world import World

CORNERS = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
"""of a rectangle, the two triangles"""


def mesh(gallery: World) -> tuple[Float64[np.ndarray, "v 3"], Int32[np.ndarray, "t 3"]]:
    """Vertices (m, world) and triangles, doors left open."""
    quads = [quad for room in range(gallery.num_rooms) for part in gallery.room(room) for quad in part]
    vertices = np.concatenate([_part(quad, bounds) for quad in quads for bounds in _closed(quad)])
    starts = 4 * np.arange(len(vertices) // 4, dtype=np.int32)
    return vertices, (CORNERS + starts[:, None, None]).reshape(-1, 3)


def _closed(quad: Quad) -> list[tuple[float, float, float, float]]:
    """The parts (s0, t0, s1, t1) of a rectangle beside, above and below its hole."""
    if quad.hole is None:
        return [(0, 0, 1, 1)]
    s0, t0, s1, t1 = quad.hole
    parts = [(0, 0, s0, 1), (s1, 0, 1, 1), (s0, 0, s1, t0), (s0, t1, s1, 1)]
    return [part for part in parts if part[0] < part[2] and part[1] < part[3]]


def _part(quad: Quad, bounds: tuple[float, float, float, float]) -> Float64[np.ndarray, "4 3"]:
    s0, t0, s1, t1 = bounds
    places = np.array([(s0, t0), (s1, t0), (s1, t1), (s0, t1)])
    return quad.corner + places @ np.stack([quad.edge_u, quad.edge_v])


def ply(vertices: Float64[np.ndarray, "v 3"], triangles: Int32[np.ndarray, "t 3"]) -> bytes:
    """A binary PLY file."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n"
        "property double x\nproperty double y\nproperty double z\n"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    return header.encode() + vertices.astype("<f8").tobytes() + faces.tobytes()
