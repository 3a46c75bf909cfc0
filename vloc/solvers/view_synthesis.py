"""What a scan looks like from a pose, painted with photos that were taken from other poses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..array_types import Bool, Float32, Float64, UInt8
from ..geometry.camera import Camera
from ..geometry.projection import inside, unproject
from ..geometry.rigid import Rigid
from .ray_casting import Hits

NEARER = 0.01
"""relative; a surface so much nearer to a photo than a point hides it: more than rays differ on one surface"""
GRAZING = 0.1
"""cosine, of 84 degrees; how a photo sees a surface that it looks along more closely is not known"""
HALF_PIXEL = 0.5
"""standard deviation, in pixels, of what one sees"""

Cast = Callable[[Float64[np.ndarray, "3"], Float64[np.ndarray, "n 3"]], Hits]
"""(centre, directions), in the world -> where the rays meet a scan"""


@dataclass(frozen=True, eq=False)
class PosedPhoto:
    """A photo, which may be reduced, the intrinsics of the whole one, and where it was taken."""

    pixels: UInt8[np.ndarray, "h w"]
    camera: Camera
    cam_from_world: Rigid


@dataclass(frozen=True, eq=False)
class SynthesizedView:
    """A grey picture of what a pose would see, and where it is known."""

    pixels: UInt8[np.ndarray, "h w"]
    is_known: Bool[np.ndarray, "h w"]


class Surface(NamedTuple):
    """What a camera sees of a scan: places in the world (NaN: nothing), and unit normals that point to its side.

    `pixels_m`: how wide what one pixel sees is, across its ray.
    """

    points: Float64[np.ndarray, "n 3"]
    normals: Float64[np.ndarray, "n 3"]
    pixels_m: Float64[np.ndarray, "n"]


def synthesize(
    cast: Cast, camera: Camera, cam_from_world: Rigid, shape: tuple[int, int], photos: Iterable[PosedPhoto]
) -> SynthesizedView:
    """What a camera would see of a scan, (height, width) pixels of it, painted with the first photo that shows each.

    A photo shows what is inside its picture with nothing before it. Surfaces that photos show from their other side
    alone are black: who sees these stands in a wall. What no photo shows is not known.
    """
    surface = surface_seen(cast, camera, cam_from_world, shape)
    grey = np.full(len(surface.points), np.nan, np.float32)
    behind, exists = np.zeros(len(grey), bool), np.isfinite(surface.points[:, 0])
    for photo in photos:
        left = np.flatnonzero(exists & np.isnan(grey))
        there = Surface(*(part[left] for part in surface))
        places, side = shown_by(cast, photo, there)
        grey[left[side > 0]] = _sampled(_smoothed(photo, there, side > 0), places[side > 0])
        behind[left[side < 0]] = True
    is_known = np.isfinite(grey) | behind
    return SynthesizedView(np.nan_to_num(grey).round().astype(np.uint8).reshape(shape), is_known.reshape(shape))


def surface_seen(cast: Cast, camera: Camera, cam_from_world: Rigid, shape: tuple[int, int]) -> Surface:
    """What the centres of (height, width) pixels of a camera's picture see of a scan, row by row."""
    height, width = shape
    # The first pixel is centred at (0.5, 0.5).
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    rays = unproject(camera, np.stack([x.ravel(), y.ravel()], axis=1) * camera.size)
    directions = np.column_stack([rays, np.ones(len(rays))]) @ cam_from_world.rotation
    reach, normals = cast(cam_from_world.center, directions)
    away = np.sign((normals * directions).sum(axis=1, keepdims=True))
    along = np.where(np.isfinite(reach), reach, np.nan)[:, None] * directions
    return Surface(cam_from_world.center + along, -away * normals, _pixels_m(camera, shape, along))


def shown_by(
    cast: Cast, photo: PosedPhoto, surface: Surface
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, "n"]]:
    """Where points project into a photo, px of the whole one, and from which side it shows them.

    1: the side that normals point to; -1: the other; 0: it does not.
    """
    rows, pixels = inside(photo.camera, photo.cam_from_world.apply(surface.points))
    places, side = np.full((len(surface.points), 2), np.nan), np.zeros(len(surface.points))
    places[rows], center = pixels, photo.cam_from_world.center
    to_points = surface.points[rows] - center
    cosines = -(to_points * surface.normals[rows]).sum(axis=1) / np.linalg.norm(to_points, axis=1)
    is_free = (cast(center, to_points).reach > 1 - NEARER) & (np.abs(cosines) > GRAZING)
    side[rows] = np.sign(cosines) * is_free
    return places, side


def _pixels_m(
    camera: Camera, shape: tuple[int, int], to_points: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "n"]:
    """How wide one of (height, width) pixels of a camera is at points, across the rays from its centre to them."""
    pixels: Float64[np.ndarray, "n"] = np.linalg.norm(to_points, axis=1) * camera.width / (camera.focal[0] * shape[1])
    return pixels


def _smoothed(photo: PosedPhoto, surface: Surface, shown: Bool[np.ndarray, "n"]) -> PosedPhoto:
    """The photo without detail that is finer than the view's pixels where it paints them: it would be noise there."""
    import cv2

    to_points = surface.points[shown] - photo.cam_from_world.center
    shape = photo.pixels.shape[0], photo.pixels.shape[1]
    finer = surface.pixels_m[shown] / _pixels_m(photo.camera, shape, to_points)
    if not len(finer) or (factor := float(np.median(finer))) <= 1:
        return photo
    return replace(photo, pixels=cv2.GaussianBlur(photo.pixels, (0, 0), HALF_PIXEL * np.sqrt(factor**2 - 1)))


def _sampled(photo: PosedPhoto, places: Float64[np.ndarray, "n 2"]) -> Float32[np.ndarray, "n"]:
    """Grey values at px of the whole photo, interpolated linearly between those of four pixels' centres."""
    height, width = photo.pixels.shape
    at = (places * (width, height) / photo.camera.size - 0.5).clip(0, (width - 1, height - 1))
    first = at.astype(np.int64)
    (x, y), (a, b) = first.T, (at - first).T
    right, below = np.minimum(x + 1, width - 1), np.minimum(y + 1, height - 1)
    upper = (1 - a) * photo.pixels[y, x] + a * photo.pixels[y, right]
    lower = (1 - a) * photo.pixels[below, x] + a * photo.pixels[below, right]
    return ((1 - b) * upper + b * lower).astype(np.float32)
