"""Rays of two posed images by the half-plane, bounded by the baseline, in which each lies.

A point in front of two cameras spans one half-plane with their centres. Its angle around the baseline is the same for
the rays of both, wherever the epipoles are, so that partners along epipolar lines are neighbours in this one angle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from .camera import Camera
from .projection import unproject
from .rigid import Rigid

SAME_SPOT = 1e-9
"""baselines shorter than this part of the centres' distance from the origin are rounding"""
SLACK = 1 + 1e-5
"""widens `half_widths`, so that rounding leaves out no ray that the distances in px allow"""


@dataclass(frozen=True, eq=False)
class PosedRays:
    """Where the keypoints of an image look, in world axes.

    `rays` have depth 1 in their camera; NaN where a pixel shows no direction. `focal`: px.
    """

    rays: Float64[np.ndarray, "n 3"]
    center: Float64[np.ndarray, "3"]
    axis: Float64[np.ndarray, "3"]
    focal: float


@dataclass(frozen=True, eq=False)
class HalfPlanes:
    """The rays of one image of a pair around the baseline from the first centre to the second.

    `angles`: radians, in [-pi, pi]. `across`: the ray's part perpendicular to the baseline, in two axes that both
    images share. `along`: its part along the baseline, divided by the length of `across`. `limits`: |a x b| of the
    `across` of two rays is at most this where the second lies within the distance of the first's epipolar line.
    `half_widths`: radians; rays at more than this in angle are further from the first's epipolar plane.
    """

    angles: Float64[np.ndarray, "n"]
    across: Float64[np.ndarray, "n 2"]
    along: Float64[np.ndarray, "n"]
    limits: Float64[np.ndarray, "n"]
    half_widths: Float64[np.ndarray, "n"]


def posed_rays(camera: Camera, cam_from_world: Rigid, keypoints: Float64[np.ndarray, "n 2"]) -> PosedRays:
    """The rays of keypoints, px in the distorted image, first pixel centred at (0.5, 0.5)."""
    plane = unproject(camera, keypoints)
    rays = np.concatenate([plane, np.ones((len(plane), 1))], axis=1) @ cam_from_world.rotation  # R^T r, row by row
    return PosedRays(rays, cam_from_world.center, cam_from_world.rotation[2], float(np.mean(camera.focal)))


def half_planes(first: PosedRays, second: PosedRays, max_error_px: float) -> tuple[HalfPlanes, HalfPlanes] | None:
    """The half-planes of the rays of both images for a distance to epipolar lines, px; None without a baseline."""
    baseline = second.center - first.center
    length = np.linalg.norm(baseline)
    if length <= SAME_SPOT * max(np.linalg.norm(first.center), np.linalg.norm(second.center)):
        return None
    axes = _axes_around(baseline / length)
    return _around(axes, first, second, max_error_px), _around(axes, second, first, max_error_px)


def _axes_around(direction: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """Orthonormal columns, right-handed, the last of them the direction."""
    other = np.eye(3)[np.abs(direction).argmin()]
    x = np.cross(other, direction)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(direction, x), direction], axis=1)


def _around(axes: Float64[np.ndarray, "3 3"], own: PosedRays, other: PosedRays, max_error_px: float) -> HalfPlanes:
    x, y, z = (own.rays @ axes).T
    distance = np.hypot(x, y)
    # The normal of a ray's plane, baseline x ray, is (-y, x, 0); its part in the other image's plane scales the line.
    facing_x, facing_y, _ = other.axis @ axes
    normal = np.sqrt(np.maximum(distance**2 - (x * facing_y - y * facing_x) ** 2, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.minimum(SLACK * max_error_px / (own.focal * distance), 1)
        along = z / distance
    return HalfPlanes(
        np.arctan2(y, x), np.stack([x, y], axis=1), along, max_error_px * normal / other.focal, np.arcsin(sine)
    )
