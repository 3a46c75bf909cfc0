"""The similarity that brings one set of points onto another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from .rigid import Rigid


@dataclass(frozen=True, eq=False)
class Similarity:
    """`x_target = scale * rotation @ x_source + translation`."""

    scale: float
    rotation: Float64[np.ndarray, "3 3"]
    translation: Float64[np.ndarray, "3"]

    @classmethod
    def identity(cls) -> Similarity:
        """The similarity that moves nothing."""
        return cls(1.0, np.eye(3), np.zeros(3))

    @property
    def is_identity(self) -> bool:
        """Whether it moves nothing, exactly."""
        return bool(self.scale == 1 and (self.rotation == np.eye(3)).all() and (self.translation == 0).all())

    def __matmul__(self, other: Similarity) -> Similarity:
        """`a_from_c = a_from_b @ b_from_c`."""
        moved = self.scale * self.rotation @ other.translation + self.translation
        return Similarity(self.scale * other.scale, self.rotation @ other.rotation, moved)

    def apply(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """Points in source coordinates to target coordinates."""
        moved: np.ndarray = self.scale * points @ self.rotation.T + self.translation
        return moved

    def apply_to_cameras(self, cam_from_source: Rigid) -> Rigid:
        """`cam_from_target` of cameras that stand in source coordinates; lengths in the camera are target lengths."""
        rotation = cam_from_source.rotation @ self.rotation.T
        center = self.apply(np.atleast_2d(cam_from_source.center)).reshape(cam_from_source.translation.shape)
        return Rigid(rotation, -np.einsum("...ij,...j->...i", rotation, center))

    def apply_to_covariances(self, covariances: Float64[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "n 3 3"]:
        """Covariances of points in source coordinates to those of the moved points: s^2 R C R^T."""
        moved: np.ndarray = self.scale**2 * (self.rotation @ covariances @ self.rotation.T)
        return moved


def align(source: Float64[np.ndarray, "n 3"], target: Float64[np.ndarray, "n 3"]) -> Similarity:
    """The least-squares similarity `target_from_source` (Umeyama 1991, eqs. 40-42).

    ValueError for fewer than three points, or points on one line: a rotation about it is free.
    """
    if source.shape != target.shape or source.shape[1:] != (3,) or len(source) < 3:
        raise ValueError(f"points of shapes {source.shape} and {target.shape}, expected two of (n, 3), n >= 3")
    a, b = source - source.mean(0), target - target.mean(0)
    singular = np.linalg.svd(b.T @ a, compute_uv=False)
    if not singular[1] > 1e-12 * singular[0]:
        raise ValueError("points on one line (or in one place) fix no rotation")
    return turned_like(b.T @ a, source, target)


def turned_like(
    matrix: Float64[np.ndarray, "3 3"], source: Float64[np.ndarray, "n 3"], target: Float64[np.ndarray, "n 3"]
) -> Similarity:
    """The least-squares similarity `target_from_source` whose rotation is the one nearest to a matrix (Procrustes)."""
    u, _, vt = np.linalg.svd(matrix)
    rotation = u * np.array([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    a, b = source - source.mean(0), target - target.mean(0)
    scale = float((b * (a @ rotation.T)).sum() / (a**2).sum())
    return Similarity(scale, rotation, target.mean(0) - scale * rotation @ source.mean(0))
