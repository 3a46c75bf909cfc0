"""Maps between normalised image coordinates (x/z, y/z) and pixels, for every camera model, both ways.

Every model is a distortion, in the image plane or in the plane of an equidistant fisheye (x theta/r, y theta/r), then
the calibration matrix. The formulas are those of COLMAP's `sensor/models.h`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..array_types import Float64, Int64, Shaped
from .camera import Camera
from .rigid import Rigid

Pair = tuple[Shaped[np.ndarray, "n"], Shaped[np.ndarray, "n"]]
PlaneMap = Callable[[np.ndarray, np.ndarray], Pair]
Distortion = Callable[[np.ndarray, np.ndarray, tuple[complex, ...]], Pair]

STEP = 1e-30  # of the complex-step derivative: no subtraction, so no lower limit
BORDER = 17
"""points a side at which a picture's border is looked at"""
RADIAL = frozenset({"SIMPLE_RADIAL", "RADIAL"})
FISHEYE = frozenset({"OPENCV_FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "THIN_PRISM_FISHEYE"})


def _radial(u: np.ndarray, v: np.ndarray, k: tuple[complex, ...]) -> Pair:
    """1 + k1 r^2 + k2 r^4 + ..., any number of terms."""
    r2 = u * u + v * v
    factor = np.zeros_like(r2)
    for term in reversed(k):
        factor = (factor + term) * r2
    return u * (1 + factor), v * (1 + factor)


def _radial_derivatives(u: np.ndarray, v: np.ndarray, k: tuple[float, ...]) -> Float64[np.ndarray, "2 2 n"]:
    """The Jacobian of `_radial`, in a third of the time of complex steps."""
    r2 = u * u + v * v
    factor, slope = np.zeros_like(r2), np.zeros_like(r2)
    for term in reversed(k):
        slope, factor = slope * r2 + factor + term, (factor + term) * r2
    across = 2 * slope * u * v
    return np.array([[1 + factor + 2 * slope * u * u, across], [across, 1 + factor + 2 * slope * v * v]])


def _tangential(u: np.ndarray, v: np.ndarray, p1: complex, p2: complex) -> Pair:
    r2, uv = u * u + v * v, u * v
    return 2 * p1 * uv + p2 * (r2 + 2 * u * u), 2 * p2 * uv + p1 * (r2 + 2 * v * v)


def _opencv(u: np.ndarray, v: np.ndarray, k: tuple[complex, ...]) -> Pair:
    (a, b), (c, d) = _radial(u, v, k[:2]), _tangential(u, v, k[2], k[3])
    return a + c, b + d


def _full_opencv(u: np.ndarray, v: np.ndarray, k: tuple[complex, ...]) -> Pair:
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    r2 = u * u + v * v
    factor = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    a, b = _tangential(u, v, p1, p2)
    return u * factor + a, v * factor + b


def _thin_prism(u: np.ndarray, v: np.ndarray, k: tuple[complex, ...]) -> Pair:
    k1, k2, p1, p2, k3, k4, sx1, sy1 = k
    (a, b), (c, d) = _radial(u, v, (k1, k2, k3, k4)), _tangential(u, v, p1, p2)
    r2 = u * u + v * v
    return a + c + sx1 * r2, b + d + sy1 * r2


def _fov(u: np.ndarray, v: np.ndarray, k: tuple[complex, ...]) -> Pair:
    """Devernay and Faugeras 2001: r_d = atan(2 r tan(omega/2)) / omega."""
    omega, r2 = k[0], u * u + v * v
    if abs(omega) < 1e-2:
        factor = 1 + (omega * omega) / 12 * (1 - 4 * r2)
        return u * factor, v * factor
    r = np.sqrt(r2 + 1e-24)  # keeps the ratio and its derivative finite on the axis
    factor = np.arctan(2 * r * np.tan(omega / 2)) / (r * omega)
    return u * factor, v * factor


_DISTORTIONS: dict[str, Distortion] = {
    "SIMPLE_RADIAL": _radial,
    "RADIAL": _radial,
    "OPENCV": _opencv,
    "FULL_OPENCV": _full_opencv,
    "FOV": _fov,
    "OPENCV_FISHEYE": _radial,
    "SIMPLE_RADIAL_FISHEYE": _radial,
    "RADIAL_FISHEYE": _radial,
    "THIN_PRISM_FISHEYE": _thin_prism,
}


def _to_fisheye(u: np.ndarray, v: np.ndarray) -> Pair:
    """Image plane to equidistant plane: the distance from the axis becomes the angle to it."""
    r = np.sqrt(u * u + v * v + 1e-24)
    factor = np.arctan(r) / r
    return u * factor, v * factor


def _from_fisheye(u: np.ndarray, v: np.ndarray) -> Pair:
    theta = np.sqrt(u * u + v * v + 1e-24)
    factor = np.where(theta < np.pi / 2, np.tan(theta) / theta, np.nan)
    return u * factor, v * factor


def distort(camera: Camera, u: np.ndarray, v: np.ndarray) -> Pair:
    """Normalised image coordinates (real or complex) to those that the calibration matrix maps to pixels."""
    return _distort(camera.model, u, v, camera.distortion)


def _distort(name: str, u: np.ndarray, v: np.ndarray, parameters: tuple[complex, ...]) -> Pair:
    if name in FISHEYE:
        u, v = _to_fisheye(u, v)
    model = _DISTORTIONS.get(name)
    return (u, v) if model is None else model(u, v, parameters)


def _derivatives(model: PlaneMap, u: np.ndarray, v: np.ndarray) -> Float64[np.ndarray, "2 2 n"]:
    """The Jacobian of a plane map, exact to rounding, by complex steps (Squire and Trapp 1998)."""
    by_u, by_v = model(u + STEP * 1j, v), model(u, v + STEP * 1j)
    return np.stack([[a.imag, b.imag] for a, b in zip(by_u, by_v, strict=True)]) / STEP


def distortion_jacobian(camera: Camera, u: np.ndarray, v: np.ndarray) -> Float64[np.ndarray, "2 2 n"]:
    """d pixel / d (x/z, y/z) of n points: the derivative of `distort` times the focal lengths."""
    focal = np.array(camera.focal)[:, None, None]
    if camera.model not in _DISTORTIONS:
        return np.broadcast_to(np.eye(2)[:, :, None] * focal, (2, 2, len(u)))
    if camera.model in RADIAL:
        return focal * _radial_derivatives(u, v, camera.distortion)
    return focal * _derivatives(lambda a, b: distort(camera, a, b), u, v)


def by_point_in_cam(camera: Camera, in_cam: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3 2 n"]:
    """The derivative of pixels by x, y and z in camera axes; 0 behind the camera."""
    in_front = in_cam[:, 2] > 0
    inverse_depth = in_front / np.where(in_front, in_cam[:, 2], 1.0)
    u, v = in_cam[:, 0] * inverse_depth, in_cam[:, 1] * inverse_depth
    by_u, by_v = distortion_jacobian(camera, u, v).swapaxes(0, 1) * inverse_depth
    return np.stack([by_u, by_v, -u * by_u - v * by_v])


def by_point_in_world(
    camera: Camera, cam_from_world: Rigid, points_in_world: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "2 3 n"]:
    """The derivative of pixels (x, y) by the axes of the world; 0 behind the camera."""
    in_cam = by_point_in_cam(camera, cam_from_world.apply(points_in_world))
    return np.einsum("kan,kj->ajn", in_cam, cam_from_world.rotation)


def focal_derivative(camera: Camera, u: np.ndarray, v: np.ndarray) -> Float64[np.ndarray, "2 n"]:
    """d pixel / d ln(focal length) of n points (x/z, y/z), where both focal lengths keep their ratio."""
    return np.stack(distort(camera, u, v)) * np.array(camera.focal)[:, None]


def distortion_derivative(camera: Camera, u: np.ndarray, v: np.ndarray) -> Float64[np.ndarray, "2 n"]:
    """d pixel / d first distortion parameter of n points (x/z, y/z), exact to rounding; ValueError without one."""
    if not camera.distortion:
        raise ValueError(f"{camera.model} has no distortion")
    first, *rest = camera.distortion
    moved = np.stack(_distort(camera.model, u, v, (first + STEP * 1j, *rest)))
    return moved.imag / STEP * np.array(camera.focal)[:, None]


def project(camera: Camera, points_in_cam: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 2"]:
    """Pixels (first pixel centred at (0.5, 0.5)) of points in camera coordinates; NaN at and behind the camera."""
    points = np.asarray(points_in_cam, np.float64)
    depth = np.where(points[:, 2] > 0, points[:, 2], np.nan)
    distorted = distort(camera, points[:, 0] / depth, points[:, 1] / depth)
    return np.stack(distorted, -1) * camera.focal + camera.principal_point


def inside(
    camera: Camera, points_in_cam: Float64[np.ndarray, "n 3"], margin_px: float = 0.0
) -> tuple[Int64[np.ndarray, "k"], Float64[np.ndarray, "k 2"]]:
    """The points (rows) that a picture shows, or so near to it, and their pixels.

    Not those that its lens model folds into it from farther off.
    """
    points, limit = np.asarray(points_in_cam, np.float64), np.array(camera.size) + margin_px
    (x, y, z), reach = points.T, widest(camera) + margin_px / min(camera.focal)
    with np.errstate(invalid="ignore"):  # infinite times 0
        rows = np.flatnonzero((z > 0) & (x * x + y * y <= (reach * z) ** 2))
    pixels = project(camera, points[rows])
    kept = np.logical_and(*((pixels >= -margin_px) & (pixels < limit)).T)  # `all` of two takes four times as long
    return rows[kept], pixels[kept]


def unproject(camera: Camera, pixels: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """Undistorted normalised coordinates (x/z, y/z) of pixels; NaN where the distortion has no inverse there."""
    target = (np.asarray(pixels, np.float64) - camera.principal_point) / camera.focal
    if camera.model not in _DISTORTIONS:
        return target
    model = _DISTORTIONS[camera.model]
    plane = _invert(lambda a, b: model(a, b, camera.distortion), target)
    if camera.model in FISHEYE:
        return np.stack(_from_fisheye(plane[:, 0], plane[:, 1]), -1)
    return plane


@lru_cache
def widest(camera: Camera) -> float:
    """How far from the axis a picture reaches: the largest norm of (x/z, y/z) on its border, where that has rays.

    Lens models fold some points that are farther off back into the picture. Infinite for a border without rays.
    """
    along = np.linspace(0, 1, BORDER)
    ends = np.concatenate([[(t, 0), (t, 1), (0, t), (1, t)] for t in along]) * camera.size
    reach = np.linalg.norm(unproject(camera, ends), axis=1)
    return float(reach[np.isfinite(reach)].max(initial=0.0)) or np.inf


def _invert(model: PlaneMap, target: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """Newton's method from the target itself; NaN where 20 steps do not reach it."""
    found = target.copy()
    with np.errstate(all="ignore"):
        for _ in range(20):
            residual = np.stack(model(found[:, 0], found[:, 1]), -1) - target
            if np.nanmax(np.abs(residual), initial=0.0) < 1e-14:
                break
            found -= _solve2(_derivatives(model, found[:, 0], found[:, 1]), residual)
        residual = np.stack(model(found[:, 0], found[:, 1]), -1) - target
    found[~(np.abs(residual).max(1, initial=0.0) < 1e-11)] = np.nan
    return found


def _solve2(matrix: Float64[np.ndarray, "2 2 n"], right: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """Cramer's rule: singular matrices give inf or NaN instead of an exception for all."""
    (a, b), (c, d) = matrix
    x, y = right.T
    return np.stack([d * x - b * y, a * y - c * x], -1) / (a * d - b * c)[:, None]
