"""What depth says of points: each lies on a surface that a keypoint shows, with the depth's own noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Bool, Float32, Float64, Int, Int32
from ..data.sparse_map import NO_POINT
from ..geometry.depth import depth_along
from ..geometry.projection import unproject
from .observations import sums
from .posed_images import PosedImages

LOSS_SCALE = 2.5
"""standard deviations; scale of the Cauchy loss"""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """One row a depth: point `point` (row) is off its surface by `offset - normal . X`, in standard deviations."""

    point: Int32[np.ndarray, "s"]
    normal: Float64[np.ndarray, "s 3"]
    offset: Float64[np.ndarray, "s"]

    def __len__(self) -> int:
        return len(self.point)

    def of(self, chosen: Bool[np.ndarray, "p"]) -> Surfaces:
        """Those of the chosen points."""
        rows = chosen[self.point]
        return Surfaces(self.point[rows], self.normal[rows], self.offset[rows])

    def normal_equations(
        self, points: Float64[np.ndarray, "p 3"]
    ) -> tuple[Float64[np.ndarray, "p 3 3"], Float64[np.ndarray, "p 3"]]:
        """Of the Cauchy loss at some points: what is known of each (1/m^2), and where that draws it (1/m)."""
        if not len(self):
            return np.zeros((len(points), 3, 3)), np.zeros((len(points), 3))
        off = self.offset - np.einsum("si,si->s", self.normal, points[self.point])
        weighted = self.normal / (1 + (off / LOSS_SCALE) ** 2)[:, None]
        known = sums(np.einsum("si,sj->sij", weighted, self.normal), self.point, len(points))
        return known, sums(weighted * off[:, None], self.point, len(points))


NOWHERE = Surfaces(np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0))
"""where there is no depth"""


@dataclass(frozen=True, eq=False)
class Lifted:
    """All keypoints of posed images, one after the other, on the surfaces that they show; NaN without depth.

    `points`: in world coordinates. `depths`: m along the optical axis. `normals`, `offsets`: X in the world lies on the
    keypoint's surface where normals . X = offsets; 1 / depth is how fast that grows along the optical axis.
    """

    points: Float64[np.ndarray, "o 3"]
    depths: Float64[np.ndarray, "o"]
    normals: Float64[np.ndarray, "o 3"]
    offsets: Float64[np.ndarray, "o"]

    @property
    def has_depth(self) -> Bool[np.ndarray, "o"]:
        """Which keypoints have one."""
        return np.isfinite(self.depths)

    def off(self, rows: Int[np.ndarray, "m"], points: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m"]:
        """How far (m, along the optical axis) points lie before the surfaces of some keypoints."""
        apart: np.ndarray = self.offsets[rows] - np.einsum("mi,mi->m", self.normals[rows], points)
        return apart * self.depths[rows]

    def surfaces(self, point_of_keypoint: Int32[np.ndarray, "o"], sigmas: Float64[np.ndarray, "o"]) -> Surfaces:
        """Of those keypoints that have depth and show a point, whose depth has the standard deviation `sigmas` (m)."""
        rows = np.flatnonzero(self.has_depth & (point_of_keypoint != NO_POINT))
        scale = self.depths[rows] / sigmas[rows]
        return Surfaces(point_of_keypoint[rows], self.normals[rows] * scale[:, None], self.offsets[rows] * scale)


def lifted(
    images: PosedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    planes: Sequence[Float32[np.ndarray, "_ 3"] | None],
) -> Lifted:
    """Keypoints on planes in the axes of their cameras (`data.depth.KeypointPlanes`); None for images without depth."""
    rows = [_lift(images, row, *each) for row, each in enumerate(zip(keypoints, planes, strict=True))]
    return Lifted(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _lift(images: PosedImages, image: int, keypoints: np.ndarray, planes: np.ndarray | None) -> tuple[np.ndarray, ...]:
    if planes is None:
        planes = np.full((len(keypoints), 3), np.nan)
    in_cam, pose = planes.astype(np.float64), images.cam_from_world[image]
    rays = unproject(images.camera(image), keypoints.astype(np.float64))
    depths = depth_along(in_cam, rays)
    known = np.isfinite(depths)
    in_cam[~known] = np.nan
    points = pose.inverse().apply(np.column_stack([rays, np.ones(len(rays))]) * depths[:, None])
    # n . (R X + t) = 1 in the camera
    return points, depths, in_cam @ pose.rotation, 1 - in_cam @ pose.translation
