"""Depth maps of a scan as a camera sees it, by open3d's ray casting."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from ..array_types import Float32, Float64
from ..data.depth import DepthMap
from ..data.scan import Scan
from ..formats.scan import open3d
from ..geometry.camera import Camera
from ..geometry.projection import unproject
from ..geometry.rigid import Rigid

ROWS_AT_A_TIME = 128
"""of an image: bounds memory"""


class Hits(NamedTuple):
    """Where rays meet a scan first: how many times each direction reaches there (inf: nowhere), and unit normals."""

    reach: Float64[np.ndarray, "n"]
    normals: Float64[np.ndarray, "n 3"]


class RayCaster:
    """A scan that rays can be cast on, from several threads; it is loaded when the first are. Pickled unloaded."""

    def __init__(self, load: Callable[[], Scan]) -> None:
        self._load, self._lock = load, Lock()
        self._built: tuple[Any, Float64[np.ndarray, "3"]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RayCaster, (self._load,)

    def _scene(self) -> tuple[Any, Float64[np.ndarray, "3"]]:
        """The library's scene, and where in the world its origin is."""
        with self._lock:
            if self._built is None:
                self._built = _scene_of(self._load())
        return self._built

    def depth_map(self, camera: Camera, cam_from_world: Rigid) -> DepthMap:
        """Metres along the optical axis at every pixel's centre; 0 where there is nothing."""
        rows = range(0, camera.height, ROWS_AT_A_TIME)
        strips = [self._strip(camera, cam_from_world, row, min(row + ROWS_AT_A_TIME, camera.height)) for row in rows]
        return DepthMap(np.concatenate(strips), camera)

    def _strip(self, camera: Camera, pose: Rigid, first: int, last: int) -> Float32[np.ndarray, "h w"]:
        # The first pixel is centred at (0.5, 0.5).
        x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(first, last) + 0.5)
        rays = unproject(camera, np.stack([x.ravel(), y.ravel()], axis=1))
        depth = self.hits(pose.center, _directions(rays, pose)).reach
        return np.where(np.isfinite(depth), depth, 0).astype(np.float32).reshape(x.shape)

    def hits(self, center: Float64[np.ndarray, "3"], directions: Float64[np.ndarray, "n 3"]) -> Hits:
        """What rays from a place meet, both in the world; the normals of a surface point to either side."""
        scene, origin = self._scene()
        rays = np.concatenate([np.broadcast_to(center - origin, directions.shape), directions], axis=1)
        found = scene.cast_rays(open3d().core.Tensor(rays.astype(np.float32)))
        return Hits(*(found[part].numpy().astype(np.float64) for part in ("t_hit", "primitive_normals")))


def _scene_of(scan: Scan) -> tuple[Any, Float64[np.ndarray, "3"]]:
    """The library counts in 32 bits: near its origin they hold micrometres, in the grid of a country they do not."""
    origin, tensor = scan.vertices.mean(axis=0), open3d().core.Tensor
    scene = open3d().t.geometry.RaycastingScene()
    scene.add_triangles(tensor((scan.vertices - origin).astype(np.float32)), tensor(scan.triangles.astype(np.uint32)))
    scene.cast_rays(tensor(np.zeros((1, 6), np.float32)))  # builds its tree
    return scene, origin


def _directions(rays: Float64[np.ndarray, "n 2"], pose: Rigid) -> Float64[np.ndarray, "n 3"]:
    """In the world, as long as one metre of depth: what is cast along them comes back as depth."""
    found: Float64[np.ndarray, "n 3"] = np.column_stack([rays, np.ones(len(rays))]) @ pose.rotation
    return found
