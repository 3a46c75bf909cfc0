"""Which textured rectangle each ray of a camera meets first: plane equations per pixel and a z-buffer.

A point of a rectangle is `corner + s edge_u + t edge_v`; seen along the ray r = (x/z, y/z, 1) it obeys
[edge_u edge_v corner] (s/z, t/z, 1/z) = r in camera coordinates, so s/z, t/z and 1/z are linear in r. No pixel is
therefore interpolated between vertices, and nothing needs clipping but the boxes that are searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from vloc.array_types import Bool, Float32, Float64, Int32
from vloc.geometry.camera import Camera
from vloc.geometry.projection import unproject
from vloc.geometry.rigid import Rigid

from .gallery_texture import Texture

STRIP = 64  # rows of rays computed at a time, so that the numbers stay in the cache
NEAR = 0.02  # m; what is nearer is not seen
SLACK = np.float32(1e-5)  # rectangles overlap by this part of their size, lest rounding open cracks between them
Bounds = tuple[float, float, float, float]
"""Least x/z, least y/z, greatest x/z, greatest y/z."""
Box = tuple[int, int, int, int]
"""First and one-past-last column, first and one-past-last row."""


@dataclass(frozen=True, eq=False)
class Quad:
    """A textured rectangle, seen from one side: the one from which its picture is not mirrored.

    Image columns run along `edge_u` and rows along `edge_v`, from `corner` (m, world). `hole` is a door: the part
    (s0, t0, s1, t1) of the rectangle, each in 0..1, that is open. `light` multiplies the texture.
    """

    corner: Float64[np.ndarray, "3"]
    edge_u: Float64[np.ndarray, "3"]
    edge_v: Float64[np.ndarray, "3"]
    texture: Callable[[], Texture] = field(repr=False)
    light: float = 1.0
    hole: tuple[float, float, float, float] | None = None

    @property
    def outline(self) -> Float64[np.ndarray, "4 3"]:
        """Its four corners in the world, in order."""
        u, v = self.edge_u, self.edge_v
        return np.asarray(self.corner + np.stack([0 * u, u, u + v, v]))


@dataclass(frozen=True, eq=False)
class View:
    """The rays of a pixel grid of a camera, which may be finer than its pixels."""

    rays: Float32[np.ndarray, "h w 3"]
    matrix: Float64[np.ndarray, "3 3"]
    margin: int
    """px by which distortion can move a point"""
    bounds: Bounds
    cam_from_world: Rigid


def view_of(camera: Camera, cam_from_world: Rigid, scale: int = 1) -> View:
    """The rays through the centres of a grid `scale` times as fine as the camera's pixels."""
    rays, matrix, margin, bounds = _rays(camera, scale)
    return View(rays, matrix, margin, bounds, cam_from_world)


@lru_cache(maxsize=12)
def _rays(camera: Camera, scale: int) -> tuple[Float32[np.ndarray, "h w 3"], Float64[np.ndarray, "3 3"], int, Bounds]:
    """What of a view does not depend on the pose."""
    rays = np.ones((camera.height * scale, camera.width * scale, 3), np.float32)
    moved = 0.0
    for row in range(0, len(rays), STRIP):
        strip = rays[row : row + STRIP]
        # Sample i of a grid `scale` times finer lies at (i + 0.5) / scale px: the first pixel is centred at (0.5, 0.5).
        x, y = np.meshgrid(np.arange(strip.shape[1]) + 0.5, np.arange(row, row + len(strip)) + 0.5)
        pixels = np.stack([x.ravel(), y.ravel()], -1) / scale
        plane = unproject(camera, pixels)
        strip[..., :2] = plane.reshape(*strip.shape[:2], 2)
        moved = max(moved, float(np.abs(plane * camera.focal + camera.principal_point - pixels).max()))
    low, high = rays.min((0, 1)), rays.max((0, 1))
    bounds = float(low[0]), float(low[1]), float(high[0]), float(high[1])
    return rays, np.diag([scale, scale, 1.0]) @ camera.matrix, int(np.ceil(moved * scale)) + 2, bounds


def clip_polygon(points: Float64[np.ndarray, "k 3"], planes: Float64[np.ndarray, "j 4"]) -> Float64[np.ndarray, "m 3"]:
    """The part of a convex polygon where n . p + d >= 0 for each plane (n, d) (Sutherland and Hodgman 1974)."""
    for plane in planes:
        if len(points) == 0:
            break
        side = points @ plane[:3] + plane[3]
        if (side >= 0).all():
            continue
        following, side_next = np.roll(points, -1, 0), np.roll(side, -1)
        kept: list[np.ndarray] = []
        for a, b, side_a, side_b in zip(points, following, side, side_next, strict=True):
            if side_a >= 0:
                kept.append(a)
            if (side_a >= 0) != (side_b >= 0):
                kept.append(a + (b - a) * side_a / (side_a - side_b))
        points = np.array(kept).reshape(-1, 3)
    return points


def frustum_planes(bounds: Bounds) -> Float64[np.ndarray, "5 4"]:
    """Planes (n, d), n . p + d >= 0 inside, of what is in front and within bounds of x/z and y/z."""
    x0, y0, x1, y1 = bounds
    return np.array([[0, 0, 1, -NEAR], [1, 0, -x0, 0], [-1, 0, x1, 0], [0, 1, -y0, 0], [0, -1, y1, 0]], np.float64)


def _box(quad: Quad, view: View, planes: Float64[np.ndarray, "5 4"]) -> Box | None:
    """The pixels that can see a rectangle."""
    visible = clip_polygon(view.cam_from_world.apply(quad.outline), planes)
    if len(visible) == 0:
        return None
    pixels = visible[:, :2] / visible[:, 2:] * np.diag(view.matrix)[:2] + view.matrix[:2, 2]
    height, width = view.rays.shape[:2]
    low, high = np.floor(pixels.min(0)) - view.margin, np.ceil(pixels.max(0)) + view.margin
    box = (max(int(low[0]), 0), min(int(high[0]), width), max(int(low[1]), 0), min(int(high[1]), height))
    return box if box[0] < box[1] and box[2] < box[3] else None


def _plane(quad: Quad, pose: Rigid) -> Float64[np.ndarray, "3 3"] | None:
    """The matrix from a ray to (s/z, t/z, 1/z), or None for a rectangle seen from behind or from its edge."""
    basis = np.stack([pose.rotation @ quad.edge_u, pose.rotation @ quad.edge_v, pose.apply(quad.corner)], 1)
    facing = float(np.linalg.det(basis))
    return np.linalg.inv(basis) if facing > 1e-9 else None


def _hits(
    values: Float32[np.ndarray, "h w 3"], hole: tuple[float, float, float, float] | None
) -> Bool[np.ndarray, "h w"]:
    """Where (s/z, t/z, 1/z) lies inside the rectangle and in front of the camera."""
    s, t, inverse = values[..., 0], values[..., 1], values[..., 2]
    slack = SLACK * inverse
    inside = (np.minimum(s, t) >= -slack) & (np.maximum(s, t) <= inverse + slack) & (inverse > 0) & (inverse < 1 / NEAR)
    if hole is not None:
        s0, t0, s1, t1 = (np.float32(edge) for edge in hole)
        inside &= ~((s >= s0 * inverse) & (s < s1 * inverse) & (t >= t0 * inverse) & (t < t1 * inverse))
    return np.asarray(inside)


@dataclass(frozen=True, eq=False)
class Hits:
    """What each ray of a view meets first."""

    nearest: Int32[np.ndarray, "h w"]
    """index of the rectangle, -1 for none"""
    inverse_depth: Float32[np.ndarray, "h w"]
    """1/m along the optical axis, 0 for none"""
    searched: dict[int, tuple[Box, Float32[np.ndarray, "3 3"]]]
    """for each rectangle that may be seen: the pixels searched, and its matrix from a ray to (s/z, t/z, 1/z)"""


def trace(quads: Sequence[Quad], view: View) -> Hits:
    """Follow every ray to the first rectangle it meets."""
    import cv2

    height, width = view.rays.shape[:2]
    hits = Hits(np.full((height, width), -1, np.int32), np.zeros((height, width), np.float32), {})
    planes = frustum_planes(view.bounds)
    for index, quad in enumerate(quads):
        plane = _plane(quad, view.cam_from_world)
        box = None if plane is None else _box(quad, view, planes)
        if plane is None or box is None:
            continue
        hits.searched[index] = (box, plane.astype(np.float32))
        part = np.s_[box[2] : box[3], box[0] : box[1]]
        values = cv2.transform(view.rays[part], hits.searched[index][1])
        front = _hits(values, quad.hole)
        front &= values[..., 2] > hits.inverse_depth[part]
        np.copyto(hits.inverse_depth[part], values[..., 2], where=front)
        np.copyto(hits.nearest[part], index, where=front)
    return hits
