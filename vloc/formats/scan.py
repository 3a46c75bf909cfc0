"""Scans: meshes and point clouds as open3d reads them (PLY, OBJ, GLB, STL, OFF; PCD and XYZ as clouds)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Float64
from ..data.scan import Scan
from ..errors import ConfigError, DataError
from ..regular_file import is_regular

NEIGHBOURS = 12
"""of a point of a cloud, by which its surface is directed"""
SPACING_OF = 6
"""the neighbour whose distance says how far the surface around a point reaches"""
LEAST_POINTS = 16
HALVES = np.array([(0, 1, 2), (0, 2, 3)])
"""of a square, corners counted around it"""
INSTALL = "scans need open3d: pip install 'vloc[scan]'"


def open3d() -> Any:
    """The library; ConfigError where it is not installed, or lacks libraries of the system."""
    try:
        import open3d as library
    except (ImportError, OSError) as error:
        raise ConfigError(f"{INSTALL} (`vloc doctor` tells more): {error}") from None
    return library


def read_scan(path: Path) -> Scan:
    """A mesh as it is, a cloud as a small square around each point; DataError for a file with neither."""
    library = open3d()
    if not is_regular(path):
        raise DataError(f"{path}: no such file of a scan")
    with library.utility.VerbosityContextManager(library.utility.VerbosityLevel.Error):
        mesh = library.io.read_triangle_mesh(str(path))
        vertices, triangles = np.asarray(mesh.vertices), np.asarray(mesh.triangles)
        if not len(triangles):
            vertices, triangles = _squares(library, library.io.read_point_cloud(str(path)), path)
    if not np.isfinite(vertices).all():
        raise DataError(f"{path}: {int((~np.isfinite(vertices)).any(axis=1).sum())} vertices that are not finite")
    return Scan(vertices.astype(np.float64), triangles.astype(np.int32))


def _squares(library: Any, cloud: Any, path: Path) -> tuple[Float64[np.ndarray, "v 3"], np.ndarray]:
    """A square for each point of a cloud, across its normal and as wide as its neighbours are far."""
    points = np.asarray(cloud.points)
    if len(points) < LEAST_POINTS:
        raise DataError(f"{path}: {len(points)} points and no triangles; expected a mesh, or a cloud of some points")
    if not cloud.has_normals():
        cloud.estimate_normals(library.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
    right, down = _across(np.asarray(cloud.normals))
    reach = _spacing(points)[:, None]
    corners = [points + reach * (a * right + b * down) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    triangles = HALVES + 4 * np.arange(len(points))[:, None, None]
    return np.stack(corners, axis=1).reshape(-1, 3), triangles.reshape(-1, 3)


def _across(normals: Float64[np.ndarray, "n 3"]) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Two unit vectors that are perpendicular to each normal and to each other."""
    axis = np.eye(3)[np.abs(normals).argmin(axis=1)]
    right = np.cross(normals, axis)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return right, np.cross(normals, right)


def _spacing(points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n"]:
    """Half of how far the neighbours of each point are: squares so wide overlap, and reach little over edges."""
    from scipy.spatial import cKDTree

    distances: Float64[np.ndarray, "n"] = cKDTree(points).query(points, k=SPACING_OF + 1)[0][:, -1]
    return distances / 2
