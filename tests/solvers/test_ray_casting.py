"""Depth maps of scans, against the gallery's own ray tracer and a plane far from the origin."""

from importlib import import_module

import numpy as np
import pytest

from vloc.data.scan import Scan
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.ray_casting import RayCaster

pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
TRIANGLES = np.array([(0, 1, 2), (0, 2, 3)], np.int32)


def wall(at: np.ndarray) -> Scan:
    """Ten metres square, three metres ahead of a place."""
    return Scan(at + np.array([(-5, -5, 3), (5, -5, 3), (5, 5, 3), (-5, 5, 3)], np.float64), TRIANGLES)


def test_the_gallery_looks_as_its_own_tracer_sees_it():
    scene, cameras, scan = (
        import_module(f"vloc.datasets.{name}") for name in ("gallery_world", "gallery_cameras", "gallery_scan")
    )
    world = scene.World(3, 2)
    caster = RayCaster(lambda: Scan(*scan.mesh(world)))
    camera = cameras.rig_cameras((160, 120))["front"]
    for position in (1, 8, 15):
        pose = cameras.rig_pose(world, position, 20)
        found, truth = caster.depth_map(camera, pose).values, world.depth(camera, pose)
        assert (np.abs(found - truth) < 1e-4 * truth).mean() > 0.999


def test_depth_is_along_the_optical_axis_however_far_from_the_origin():
    at = np.array([4.5e5, 5.4e6, 300.0])
    camera = Camera("SIMPLE_RADIAL", 90, 70, (60.0, 45.0, 35.0, 0.05))
    found = RayCaster(lambda: wall(at)).depth_map(camera, Rigid(np.eye(3), -at))
    assert found.values.shape == (70, 90) and found.camera == camera
    np.testing.assert_allclose(found.values, 3, rtol=1e-6)


def test_where_there_is_nothing_depth_is_zero():
    turned = Rigid(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    assert (
        not RayCaster(lambda: wall(np.zeros(3)))
        .depth_map(Camera("SIMPLE_PINHOLE", 4, 4, (4.0, 2.0, 2.0)), turned)
        .values.any()
    )


def test_rays_meet_a_wall_where_it_is_and_across_its_normal():
    at = np.array([100.0, 200.0, 0.0])
    directions = np.array([(0.0, 0, 1), (0.5, 0, 2), (0, 0, -1)])
    reach, normals = RayCaster(lambda: wall(at)).hits(at, directions)
    np.testing.assert_allclose(reach, [3, 1.5, np.inf], rtol=1e-6)
    np.testing.assert_allclose(np.abs(normals[:2]), [(0, 0, 1)] * 2, atol=1e-6)
