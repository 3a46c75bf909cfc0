"""Scans: meshes and clouds as open3d writes them."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.formats.scan import read_scan

open3d = pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
CORNERS = np.array([(0, 0, 2), (1, 0, 2), (1, 1, 2), (0, 1, 2)], np.float64)
HALVES = np.array([(0, 1, 2), (0, 2, 3)], np.int32)


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl", "gltf"])
def test_a_mesh_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    mesh = open3d.geometry.TriangleMesh(open3d.utility.Vector3dVector(CORNERS), open3d.utility.Vector3iVector(HALVES))
    mesh.compute_triangle_normals()
    open3d.io.write_triangle_mesh(str(tmp_path / f"a.{suffix}"), mesh)
    scan = read_scan(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(scan.vertices[scan.triangles], CORNERS[HALVES], atol=1e-6)


def test_a_mesh_is_read_from_glb(tmp_path: Path) -> None:
    """By hand, after the glTF 2.0 specification: open3d's own GLB files break it."""
    data = CORNERS.astype("<f4").tobytes() + HALVES.astype("<u2").tobytes()
    views = [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 12}]
    corners = {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 2], "max": [1, 1, 2]}
    halves = {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"}
    parts = {"buffers": [{"byteLength": 60}], "bufferViews": views, "accessors": [corners, halves]}
    shown = {"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}], "nodes": [{"mesh": 0}]}
    text = json.dumps({"asset": {"version": "2.0"}, **parts, **shown, "scenes": [{"nodes": [0]}], "scene": 0}).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    (tmp_path / "a.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    scan = read_scan(tmp_path / "a.glb")
    np.testing.assert_allclose(scan.vertices[scan.triangles], CORNERS[HALVES], atol=1e-6)


@pytest.mark.parametrize("suffix", ["ply", "pcd"])
def test_a_cloud_is_closed_by_a_square_around_each_point(tmp_path: Path, suffix: str) -> None:
    """Points of the plane z = 2 + x / 2: squares lie in it and leave no gap between neighbours."""
    x, y = np.meshgrid(np.arange(20) * 0.1, np.arange(20) * 0.1)
    points = np.stack([x.ravel(), y.ravel(), 2 + x.ravel() / 2], axis=1)
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    open3d.io.write_point_cloud(str(tmp_path / f"a.{suffix}"), cloud)
    scan = read_scan(tmp_path / f"a.{suffix}")
    assert len(scan.triangles) == 2 * len(points)
    np.testing.assert_allclose(scan.vertices[:, 2], 2 + scan.vertices[:, 0] / 2, atol=1e-6)
    area = np.linalg.norm(
        np.cross(*(scan.vertices[scan.triangles[:, i]] - scan.vertices[scan.triangles[:, 0]] for i in (1, 2))), axis=1
    )
    assert area.sum() / 2 > 3.61 * np.sqrt(1.25)


def test_what_is_no_scan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file of a scan"):
        read_scan(tmp_path / "none.ply")
    (tmp_path / "a.ply").write_text("ply\nnot really")
    with pytest.raises(DataError, match="0 points and no triangles"):
        read_scan(tmp_path / "a.ply")
