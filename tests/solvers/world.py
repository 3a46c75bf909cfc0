"""A small scene with exact truth: points in front of cameras that walk past, and the matches between their images."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.posed_images import PosedImages

PINHOLE = Camera("PINHOLE", 1000, 800, (900.0, 900.0, 500.0, 400.0))
OPENCV = Camera("OPENCV", 1000, 800, (900.0, 910.0, 505.0, 395.0, 0.05, -0.02, 0.001, 0.0))
FISHEYE = Camera("RADIAL_FISHEYE", 1000, 800, (900.0, 505.0, 395.0, 0.05, -0.02))


@dataclass(frozen=True)
class World:
    images: PosedImages
    points: np.ndarray
    point_of: list[np.ndarray]
    keypoints: list[np.ndarray]
    matches: dict[tuple[int, int], np.ndarray]


def random_pose(rng, distance=3.0):
    return Rigid(Rotation.from_rotvec(rng.normal(0, 1, 3)).as_matrix(), rng.normal(0, distance, 3))


def walk(count=8, num_points=400, noise=0.0, cameras=(PINHOLE, OPENCV), seed=0, mount=None):
    """Cameras 0.5 m apart in a row, looking at a slab of points 6 to 9 m away.

    With a `mount`, every other one is that of a rig whose first camera took the one before.
    """
    rng = np.random.default_rng(seed)
    points = rng.uniform([-3, -2, 6], [3 + 0.5 * count, 2, 9], (num_points, 3))
    turns = Rotation.from_rotvec(rng.normal(0, 0.05, (count, 3))).as_matrix()
    centers = np.stack([0.5 * np.arange(count), rng.normal(0, 0.1, count), np.zeros(count)], axis=1)
    poses = Rigid(turns, -np.einsum("nij,nj->ni", turns, centers))
    if mount is not None:
        poses = Rigid.stack([mount @ poses[i - 1] if i % 2 else poses[i] for i in range(count)])
    camera_of_image = (np.arange(count) % len(cameras)).astype(np.int32)
    seen, keypoints = [], []
    for i in range(count):
        pixels = project(cameras[camera_of_image[i]], poses[i].apply(points))
        inside = ((pixels > 0) & (pixels < [1000, 800])).all(axis=1)
        seen.append(rng.permutation(np.flatnonzero(inside)))
        keypoints.append((pixels[seen[i]] + rng.normal(0, noise, (inside.sum(), 2))).astype(np.float32))
    matches = {}
    for i in range(count):
        for j in range(i + 1, count):
            _, a, b = np.intersect1d(seen[i], seen[j], return_indices=True)
            matches[i, j] = np.stack([a, b], axis=1).astype(np.uint32)
    names = [f"{i:03}.jpg" for i in range(count)]
    return World(PosedImages(names, cameras, camera_of_image, poses), points, seen, keypoints, matches)


def sightings(camera, count=200, noise=0.0, outliers=0.0, seed=0, offset=0.0):
    """2D-3D matches of one camera: pixels, points, the true pose, and which matches are wrong."""
    rng = np.random.default_rng(seed)
    in_cam = np.c_[rng.uniform(-0.5, 0.5, count), rng.uniform(-0.4, 0.4, count), np.ones(count)]
    in_cam *= rng.uniform(3, 9, (count, 1))
    pose = random_pose(rng)
    points = pose.inverse().apply(in_cam) + offset
    pose = Rigid(pose.rotation, pose.translation - pose.rotation @ np.full(3, float(offset)))
    pixels = project(camera, in_cam) + rng.normal(0, noise, (count, 2))
    wrong = rng.random(count) < outliers
    pixels[wrong] = rng.uniform(0, [1000, 800], (wrong.sum(), 2))
    return pixels, points, pose, wrong
