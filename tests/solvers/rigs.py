"""Rigs of cameras with exact truth, and the matches that each camera has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.generalized_pose import View

from .world import FISHEYE, OPENCV, PINHOLE, random_pose

CAMERAS = (PINHOLE, OPENCV, FISHEYE)


def mounts(count: int) -> list[Rigid]:
    """Cameras in a ring, half a metre apart, each turned by 60 degrees from the one before."""
    turns = [Rotation.from_rotvec([0, np.radians(60 * i), 0]).as_matrix() for i in range(count)]
    return [Rigid(turn, turn @ np.array([-0.5 * i, 0.1 * i, 0])) for i, turn in enumerate(turns)]


def sight(camera: Camera, cam_from_rig: Rigid, rig: Rigid, count: int, rng: np.random.Generator) -> View:
    """Exact matches of points 3 to 9 m before a camera."""
    in_cam = np.c_[rng.uniform(-0.5, 0.5, count), rng.uniform(-0.4, 0.4, count), np.ones(count)]
    in_cam *= rng.uniform(3, 9, (count, 1))
    points = (cam_from_rig @ rig).inverse().apply(in_cam)
    return View(project(camera, in_cam), points, camera, cam_from_rig)


def spoilt(view: View, noise: float, outliers: float, rng: np.random.Generator) -> View:
    """With noise, and a part of the matches anywhere."""
    pixels = view.points2d + rng.normal(0, noise, view.points2d.shape)
    wrong = rng.random(len(pixels)) < outliers
    pixels[wrong] = rng.uniform(0, [1000, 800], (int(wrong.sum()), 2))
    return replace(view, points2d=pixels)


def rig_sees(
    counts: tuple[int, ...], noise: float = 0.0, outliers: float = 0.0, seed: int = 0, offset: float = 0.0
) -> tuple[list[View], Rigid]:
    """What each camera sees, and `rig_from_world`."""
    rng = np.random.default_rng(seed)
    rig = random_pose(rng)
    rig = Rigid(rig.rotation, rig.translation - rig.rotation @ np.full(3, offset))
    made = zip(CAMERAS, mounts(3), counts, strict=False)
    return [spoilt(sight(camera, at, rig, count, rng), noise, outliers, rng) for camera, at, count in made], rig
