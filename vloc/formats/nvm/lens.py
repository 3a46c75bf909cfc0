"""VisualSFM's distortion, which goes from the image to the ray, as COLMAP's, which goes the other way, and back.

Of a measured m and the ray p, both normalised: p = (1 + r |m|^2) m (VisualSFM's manual, "parameter conversion").
"""

from __future__ import annotations

import math

import numpy as np

from ...array_types import Float64
from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.projection import project
from ..text_fields import within_range

# A lens that one coefficient describes worse than this, px, is refused at write time.
MAX_MISFIT_PX = 1.0
_SAMPLES = 200


def camera_from_nvm(place: str, size: tuple[int, int], focal: float, r: float) -> tuple[Camera, float]:
    """A camera centred in its image, and the largest error in it, px: RADIAL fitted where r is not 0."""
    width, height = size
    center = width / 2, height / 2
    try:
        plain = Camera("SIMPLE_PINHOLE", width, height, (focal, *center))
    except ValueError as error:
        raise DataError(f"{place}: {error}") from None
    if r == 0:
        return plain, 0.0
    measured = _radii(plain)
    with np.errstate(over="ignore"):
        if (1 + 3 * r * measured**2 <= 0).any():
            raise DataError(f"{place}: distortion {r} folds the image over itself before its corners")
        ray = measured * (1 + r * measured**2)
        # m = p (1 + k1 p^2 + k2 p^4), linear in k1 and k2.
        design = np.stack([ray**3, ray**5], axis=1)
    if not within_range(design).all():
        raise DataError(f"{place}: focal length {focal} with distortion {r}: too strong to be a lens")
    k1, k2 = np.linalg.lstsq(design, measured - ray, rcond=None)[0].tolist()
    misfit = np.abs(design @ (k1, k2) - (measured - ray)).max() * focal
    return Camera("RADIAL", width, height, (focal, *center, k1, k2)), float(misfit)


def distortion_for_nvm(sensor: str, camera: Camera) -> tuple[float, float]:
    """The r that suits a camera best, and the largest error in its image, px; DataError over `MAX_MISFIT_PX`."""
    if not any(camera.distortion):
        return 0.0, 0.0
    ray = _radii(camera)
    points = np.stack([ray, np.zeros(len(ray)), np.ones(len(ray))], axis=1)
    measured = (project(camera, points)[:, 0] - camera.principal_point[0]) / camera.focal[0]
    # Rays are sampled up to the corners' pixels; those that land outside do not matter.
    inside = np.abs(measured) <= _radii(camera)[-1]
    measured, ray = measured[inside], ray[inside]
    r = float((measured**3 @ (ray - measured)) / (measured**3 @ measured**3))
    slope = np.maximum(1 + 3 * r * measured**2, 1e-3)
    misfit = float((np.abs(measured * (1 + r * measured**2) - ray) / slope).max() * camera.focal[0])
    if misfit > MAX_MISFIT_PX:
        raise DataError(
            f"camera '{sensor}': {camera.model} {camera.params}: NVM has one coefficient of distortion, "
            f"which is off by {misfit:.1f} px; undistort the images first"
        )
    return r, misfit


def _radii(camera: Camera) -> Float64[np.ndarray, "n"]:
    """Distances from the axis, normalised, from 0 to the corner of the image."""
    corner = math.hypot(camera.width / 2, camera.height / 2) / camera.focal[0]
    radii: np.ndarray = np.linspace(0, corner, _SAMPLES)
    return radii
