"""Keypoints of map images that show a point, and how their pixels answer to small changes of points and poses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float32, Float64, Int32
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.camera import Camera
from ..geometry.projection import distortion_jacobian, project

KEYPOINT_NOISE_PX = 0.2
"""standard deviation of one coordinate of a keypoint, against which what else is known is weighed: poses, depth"""


@dataclass(frozen=True, eq=False)
class Observations:
    """Which image (row) shows which point (row); images in rising order."""

    image: Int32[np.ndarray, "o"]
    point: Int32[np.ndarray, "o"]

    def __len__(self) -> int:
        return len(self.image)

    def of(self, chosen: Bool[np.ndarray, "p"]) -> Observations:
        """Those of the chosen points."""
        rows = chosen[self.point]
        return self if rows.all() else Observations(self.image[rows], self.point[rows])


@dataclass(frozen=True, eq=False)
class Linearised:
    """Projected pixels, px, and their derivatives by the point in the world and by the pose.

    Poses move as Exp(rotation, translation) @ cam_from_world; the translation is minus the centre's, in camera axes.
    """

    pixels: Float64[np.ndarray, "o 2"]
    by_point: Float64[np.ndarray, "o 2 3"]
    by_pose: Float64[np.ndarray, "o 2 _"]
    """six, or none where they were not asked for"""


def all_observations(
    sparse: SparseMap, keypoints: Sequence[Float32[np.ndarray, "_ 2"]]
) -> tuple[Observations, Float64[np.ndarray, "o 2"]]:
    """Every observation of a map, and its pixel."""
    rows = np.flatnonzero(sparse.point_of_keypoint != NO_POINT)
    pixels = np.concatenate([np.zeros((0, 2), np.float32), *keypoints])[rows]
    return Observations(sparse.image_of(rows), sparse.point_of_keypoint[rows]), pixels.astype(np.float64)


def linearise(
    sparse: SparseMap, points: Float64[np.ndarray, "p 3"], seen: Observations, *, poses: bool = True
) -> Linearised:
    """The map's poses and cameras at some points; behind a camera pixels are NaN and derivatives 0.

    The arrays lie in memory with the observations along the last axis, where loops over them are fastest. Without
    `poses` there are no derivatives by them.
    """
    shapes = (2,), (2, 3), (2, 6 if poses else 0)
    pixels, by_point, by_pose = (np.empty((*shape, len(seen))) for shape in shapes)
    taken_by = sparse.camera_of_image[seen.image]
    for row in np.unique(taken_by).tolist():
        part = np.flatnonzero(taken_by == row)
        camera, image = sparse.cameras[row], seen.image[part]
        turn = np.ascontiguousarray(sparse.cam_from_world.rotation[image].transpose(1, 2, 0))
        x = np.einsum("ijn,nj->in", turn, points[seen.point[part]]) + sparse.cam_from_world.translation[image].T
        pixels[:, part], (a, b, c) = project(camera, x.T).T, by_point_in_cam(camera, x.T)
        by_point[..., part] = np.einsum("ikn,ijn->kjn", np.stack([a, b, c]), turn)
        if poses:
            turned = x[1] * c - x[2] * b, x[2] * a - x[0] * c, x[0] * b - x[1] * a
            by_pose[..., part] = np.stack([*turned, a, b, c], axis=1)
    return Linearised(pixels.T, np.moveaxis(by_point, -1, 0), np.moveaxis(by_pose, -1, 0))


def reprojected(
    sparse: SparseMap, points: Float64[np.ndarray, "p 3"], seen: Observations
) -> Float64[np.ndarray, "o 2"]:
    """The pixels of points by the map's poses and cameras; NaN behind a camera."""
    pixels = np.empty((len(seen), 2))
    taken_by = sparse.camera_of_image[seen.image]
    for row in np.unique(taken_by).tolist():
        part = np.flatnonzero(taken_by == row)
        poses = sparse.cam_from_world[seen.image[part]]
        in_cam = np.einsum("oij,oj->oi", poses.rotation, points[seen.point[part]]) + poses.translation
        pixels[part] = project(sparse.cameras[row], in_cam)
    return pixels


def by_point_in_cam(camera: Camera, in_cam: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3 2 n"]:
    """The derivative of pixels by x, y and z in camera axes; 0 behind the camera."""
    in_front = in_cam[:, 2] > 0
    inverse_depth = in_front / np.where(in_front, in_cam[:, 2], 1.0)
    u, v = in_cam[:, 0] * inverse_depth, in_cam[:, 1] * inverse_depth
    by_u, by_v = distortion_jacobian(camera, u, v).swapaxes(0, 1) * inverse_depth
    return np.stack([by_u, by_v, -u * by_u - v * by_v])


def each_of(values: Float64[np.ndarray, "g *shape"], groups: np.ndarray) -> Float64[np.ndarray, "o *shape"]:
    """The value of the group of each; in memory with the observations along the last axis."""
    return np.moveaxis(np.take(np.moveaxis(values, 0, -1), groups, axis=-1), -1, 0)


def sums(values: Float64[np.ndarray, "o *shape"], groups: np.ndarray, count: int) -> Float64[np.ndarray, "g *shape"]:
    """The sum of the values of each group; in memory with the groups along the last axis."""
    rows = np.ascontiguousarray(np.moveaxis(values, 0, -1)).reshape(math.prod(values.shape[1:]), len(values))
    totals = np.stack([np.bincount(groups, row, count) for row in rows]).astype(np.float64, copy=False)
    return np.moveaxis(totals.reshape(*values.shape[1:], count), -1, 0)
