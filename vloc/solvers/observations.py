"""Keypoints of map images that show a point, and how their pixels answer to small changes of points and poses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float32, Float64, Int32, Int64
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_cam, project

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


class Projector:
    """Observations of a map, made ready to be projected again and again: the poses of each are looked up once.

    Arrays lie in memory with the observations along the last axis, where loops over them are fastest.
    """

    def __init__(self, sparse: SparseMap, seen: Observations) -> None:
        self._seen = seen
        self._parts = list(_by_camera(sparse, seen.image))

    def pixels(self, points: Float64[np.ndarray, "p 3"]) -> Float64[np.ndarray, "o 2"]:
        """Where the points are seen, px; NaN behind a camera."""
        pixels = np.empty((2, len(self._seen)))
        for camera, rows, turn, shift in self._parts:
            pixels[:, rows] = project(camera, self._in_cam(points, rows, turn, shift).T).T
        return pixels.T

    def linearised(self, points: Float64[np.ndarray, "p 3"], *, poses: bool = True) -> Linearised:
        """The pixels of some points, and their derivatives; behind a camera pixels are NaN and derivatives 0.

        Without `poses` there are no derivatives by them.
        """
        shapes = (2,), (2, 3), (2, 6 if poses else 0)
        pixels, by_point, by_pose = (np.empty((*shape, len(self._seen))) for shape in shapes)
        for camera, rows, turn, shift in self._parts:
            x = self._in_cam(points, rows, turn, shift)
            pixels[:, rows], (a, b, c) = project(camera, x.T).T, by_point_in_cam(camera, x.T)
            by_point[..., rows] = np.einsum("ikn,ijn->kjn", np.stack([a, b, c]), turn)
            if poses:
                turned = x[1] * c - x[2] * b, x[2] * a - x[0] * c, x[0] * b - x[1] * a
                by_pose[..., rows] = np.stack([*turned, a, b, c], axis=1)
        return Linearised(pixels.T, np.moveaxis(by_point, -1, 0), np.moveaxis(by_pose, -1, 0))

    def _in_cam(self, points: np.ndarray, rows: _Rows, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """The points in camera axes, (3, n)."""
        return np.einsum("ijn,jn->in", turn, _of_rows(points, self._seen.point[rows])) + shift


_Rows = slice | Int64[np.ndarray, "n"]


def _by_camera(
    sparse: SparseMap, image: Int32[np.ndarray, "o"]
) -> Iterator[tuple[Camera, _Rows, Float64[np.ndarray, "3 3 n"], Float64[np.ndarray, "3 n"]]]:
    """Each camera with its observations, and rotations and translations of their images."""
    poses = sparse.cam_from_world
    taken_by = sparse.camera_of_image[image]
    cameras = np.unique(taken_by).tolist()
    for row in cameras:
        rows = slice(None) if len(cameras) == 1 else np.flatnonzero(taken_by == row)
        own = image[rows]
        yield sparse.cameras[row], rows, _of_rows(poses.rotation, own), _of_rows(poses.translation, own)


def _of_rows(values: Float64[np.ndarray, "m *shape"], rows: np.ndarray) -> Float64[np.ndarray, "*shape n"]:
    """Some rows, along the last axis. Nothing else is read: a map in place may be larger than the memory."""
    return np.ascontiguousarray(np.moveaxis(values.take(rows, axis=0), 0, -1))


def each_of(values: Float64[np.ndarray, "g *shape"], groups: np.ndarray) -> Float64[np.ndarray, "o *shape"]:
    """The value of the group of each; in memory with the observations along the last axis."""
    return np.moveaxis(np.take(np.moveaxis(values, 0, -1), groups, axis=-1), -1, 0)


def sums(values: Float64[np.ndarray, "o *shape"], groups: np.ndarray, count: int) -> Float64[np.ndarray, "g *shape"]:
    """The sum of the values of each group; in memory with the groups along the last axis."""
    rows = np.ascontiguousarray(np.moveaxis(values, 0, -1)).reshape(math.prod(values.shape[1:]), len(values))
    totals = np.stack([np.bincount(groups, row, count) for row in rows]).astype(np.float64, copy=False)
    return np.moveaxis(totals.reshape(*values.shape[1:], count), -1, 0)
