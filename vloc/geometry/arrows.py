"""How large, and turned which way, keypoints look: carried from the image that shows them to where others do."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, Float64
from .camera import Camera
from .projection import by_point_in_cam
from .rigid import Rigid


def arrows_of(scales: Float32[np.ndarray, "n"], angles: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "2 n"]:
    """Keypoints' scales (px) and orientations (radians from x towards y) as arrows in their image, px."""
    return np.stack([np.cos(angles), np.sin(angles)]) * scales


def arrows_in_world(
    camera: Camera,
    cam_from_world: Rigid,
    points_in_world: Float64[np.ndarray, "n 3"],
    arrows: Float32[np.ndarray, "2 n"],
) -> Float64[np.ndarray, "n 3"]:
    """An image's arrows (px) at the points before it that they belong to, in world axes and units.

    They are parallel to the image plane: right for surfaces that are seen from the front, near it for others.
    """
    ((a, c), (b, d), _) = by_point_in_cam(camera, cam_from_world.apply(points_in_world))
    x, y = arrows / (a * d - b * c)
    in_cam = np.column_stack([d * x - b * y, a * y - c * x, np.zeros(len(x))])
    result: Float64[np.ndarray, "n 3"] = in_cam @ cam_from_world.rotation
    return result
