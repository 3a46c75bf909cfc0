"""InLoc's cutouts: perspective views of scans with the scanned point at every pixel, in MATLAB files."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vloc.array_types import Bool, Float64
from vloc.errors import DataError
from vloc.formats.images import FolderImages
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.pnp import PnpConfig

POINTS = "XYZcut"
FIELD_OF_VIEW_DEG = 60.0
"""across a cutout's width: 1385.6 px of focal length at 1600 px"""
SAMPLES = 4000
"""points at most that a cutout's pose is found by"""
FIT = PnpConfig(max_error_px=4.0, min_inliers=100, min_confidence=0.0, refine="none")
MIN_AGREEING = 0.8
"""of the points: with fewer of them within the error, the pixels are no camera's"""


@dataclass(frozen=True, eq=False)
class CutoutFiles:
    """Images as they are, and `IMAGE.depth` of cutouts as kapture has it: float32, metres, little endian, 0 unknown."""

    images: FolderImages
    cam_from_scan: Mapping[str, Rigid]

    def read(self, name: str) -> bytes:
        """An image, or the depth map of one; DataError names what is missing."""
        if not name.endswith(".depth"):
            return self.images.read(name)
        image = name.removesuffix(".depth")
        points = read_points(self.images, image)
        depth = self.cam_from_scan[image].apply(points.reshape(-1, 3))[:, 2]
        seen = known(points).ravel() & (depth > 0)
        return np.where(seen, depth, 0).astype("<f4").tobytes()

    def stamp(self, name: str) -> str:
        """The stamp of the file that it is made from."""
        return self.images.stamp(f"{name.removesuffix('.depth')}.mat" if name.endswith(".depth") else name)


def read_points(images: FolderImages, cutout: str) -> Float64[np.ndarray, "h w 3"]:
    """The points in the scan's frame (m) at the pixels of a cutout; NaN or the origin where nothing was hit."""
    from scipy.io.matlab import MatReadError

    name = f"{cutout}.mat"
    data = images.read(name)
    try:
        points = _variable(data)
    except (MatReadError, zlib.error, ValueError, TypeError, KeyError, IndexError, OSError, MemoryError) as error:
        raise DataError(f"{images.root / name}: cannot read '{POINTS}' of it: {error}") from None
    if points.ndim != 3 or points.shape[2] != 3 or points.dtype.kind != "f":
        raise DataError(f"{images.root / name}: '{POINTS}' is {points.dtype} {points.shape}, expected floats (h, w, 3)")
    return points.astype(np.float64)


def _variable(data: bytes) -> np.ndarray[Any, Any]:
    """A MATLAB file up to version 7 is scipy's, one of version 7.3 is HDF5, with the axes the other way round."""
    from scipy.io import loadmat

    try:
        return np.asarray(loadmat(io.BytesIO(data), variable_names=[POINTS])[POINTS])
    except NotImplementedError:
        import h5py

        with h5py.File(io.BytesIO(data)) as file:
            return np.asarray(file[POINTS]).T


def known(points: Float64[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """Where the scanner hit something."""
    return np.isfinite(points).all(2) & points.any(2)


def cutout_camera(width: int, height: int) -> Camera:
    """The camera that all cutouts have, its principal point in the middle."""
    focal = width / 2 / math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))
    return Camera("SIMPLE_PINHOLE", width, height, (focal, width / 2, height / 2))


def cam_from_scan(images: FolderImages, cutout: str, camera: Camera) -> Rigid | None:
    """Where a cutout was taken, by its own points: None where it has too few; DataError where no pose fits them.

    The angles in its name say so too, but to half a metre only (InLoc_demo, issue 8).
    """
    points, path = read_points(images, cutout), images.root / f"{cutout}.mat"
    if points.shape[:2] != (camera.height, camera.width):
        raise DataError(f"{path}: points of {points.shape[1]} x {points.shape[0]} px, the image's are not as many")
    rows, columns = np.nonzero(known(points))
    chosen = slice(None, None, max(1, math.ceil(len(rows) / SAMPLES)))
    rows, columns = rows[chosen], columns[chosen]
    if len(rows) < FIT.min_inliers:
        return None
    # Pixels' centres are at halves.
    found = absolute_pose(np.stack([columns + 0.5, rows + 0.5], 1), points[rows, columns], camera, FIT)
    if found.cam_from_world is None or found.inliers.mean() < MIN_AGREEING:
        raise DataError(
            f"{path}: {found.inliers.sum()} of {len(rows)} points are where a camera of {FIELD_OF_VIEW_DEG:g} degrees "
            f"sees them, expected {MIN_AGREEING:.0%} within {FIT.max_error_px:g} px"
        )
    return found.cam_from_world
