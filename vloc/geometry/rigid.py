"""Rigid transforms in three dimensions, one or a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array_types import Float64


@dataclass(frozen=True, eq=False)
class Rigid:
    """`x_target = rotation @ x_source + translation`; name values `target_from_source` so that neighbours cancel.

    `rotation`: (..., 3, 3) orthonormal; `translation`: (..., 3) metres. Leading axes are a batch.
    """

    rotation: Float64[np.ndarray, "*batch 3 3"]
    translation: Float64[np.ndarray, "*batch 3"]

    @classmethod
    def identity(cls, *batch: int) -> Rigid:
        """The transform that moves nothing, repeated over `batch`."""
        return cls(np.broadcast_to(np.eye(3), (*batch, 3, 3)).copy(), np.zeros((*batch, 3)))

    @classmethod
    def from_quat_wxyz(cls, quat_wxyz: np.ndarray, translation: np.ndarray) -> Rigid:
        """From Hamilton quaternions, scalar first, of any norm but 0 (ValueError)."""
        quat = np.asarray(quat_wxyz, dtype=np.float64)
        return cls(_matrix_of_quat(quat), np.array(translation, dtype=np.float64).reshape(*quat.shape[:-1], 3))

    @classmethod
    def stack(cls, transforms: list[Rigid]) -> Rigid:
        """One batch of single transforms."""
        if not transforms:
            return cls.identity(0)
        return cls(np.stack([t.rotation for t in transforms]), np.stack([t.translation for t in transforms]))

    @property
    def quat_wxyz(self) -> Float64[np.ndarray, "*batch 4"]:
        """Unit quaternions, scalar first, the first part that is not 0 positive."""
        return _quat_of_matrix(self.rotation)

    @property
    def center(self) -> Float64[np.ndarray, "*batch 3"]:
        """The target's origin in source coordinates: of `cam_from_world`, the camera centre `cam_in_world`."""
        return -np.einsum("...ji,...j->...i", self.rotation, self.translation)

    def inverse(self) -> Rigid:
        """`source_from_target`."""
        return Rigid(np.swapaxes(self.rotation, -1, -2), self.center)

    def __matmul__(self, other: Rigid) -> Rigid:
        """`a_from_c = a_from_b @ b_from_c`, batch by batch."""
        moved = np.einsum("...ij,...j->...i", self.rotation, other.translation)
        return Rigid(self.rotation @ other.rotation, moved + self.translation)

    @property
    def adjoint(self) -> Float64[np.ndarray, "6 6"]:
        """Of one transform: a small motion (rotation, translation) of the source as one of the target.

        `target_from_source @ Exp(motion) = Exp(adjoint @ motion) @ target_from_source`, to first order.
        """
        x, y, z = self.translation
        across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        return np.block([[self.rotation, np.zeros((3, 3))], [across @ self.rotation, self.rotation]])

    def apply(self, points: Float64[np.ndarray, "*points 3"]) -> Float64[np.ndarray, "*points 3"]:
        """Points in source coordinates to target coordinates, by one transform."""
        return points @ self.rotation.T + self.translation

    def __getitem__(self, index: Any) -> Rigid:
        return Rigid(self.rotation[index], self.translation[index])

    def __len__(self) -> int:
        return len(self.rotation)


def _matrix_of_quat(quat_wxyz: Float64[np.ndarray, "*batch 4"]) -> Float64[np.ndarray, "*batch 3 3"]:
    """Rotation matrices, bit for bit scipy's, whose import takes longer than everything else before a first stage."""
    w, x, y, z = np.moveaxis(quat_wxyz, -1, 0)
    norm = np.sqrt(x * x + y * y + z * z + w * w)
    if not norm.all():
        raise ValueError("a quaternion of zero norm is no rotation")
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    rows = (
        (x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), -x * x + y * y - z * z + w * w, 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), -x * x - y * y + z * z + w * w),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _quat_of_matrix(matrix: Float64[np.ndarray, "*batch 3 3"]) -> Float64[np.ndarray, "*batch 4"]:
    """Unit quaternions of rotation matrices; without scipy for the same reason."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(matrix, (-2, -1), (0, 1))
    trace, x, y, z = xx + yy + zz, zy - yz, xz - zx, yx - xy
    rows = np.array(  # 4 q q^T (Shepperd 1978): of its rows, all along q, the longest is the most exact
        [
            [1 + trace, x, y, z],
            [x, 1 - trace + 2 * xx, xy + yx, xz + zx],
            [y, xy + yx, 1 - trace + 2 * yy, yz + zy],
            [z, xz + zx, yz + zy, 1 - trace + 2 * zz],
        ]
    )
    longest = np.einsum("ii...->i...", rows).argmax(axis=0)
    quat = np.moveaxis(np.take_along_axis(rows, longest[None, None], axis=0)[0], 0, -1)
    leading = np.take_along_axis(quat, (quat != 0).argmax(axis=-1, keepdims=True), axis=-1)
    unit: np.ndarray = quat * np.sign(leading) / np.linalg.norm(quat, axis=-1, keepdims=True)
    return unit
