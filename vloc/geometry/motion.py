"""Small motions of rigid bodies, and poses between two."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from .rigid import Rigid


def motion_of(transform: Rigid) -> Float64[np.ndarray, "*batch 6"]:
    """Rotation vectors (radians) and translations of transforms; to first order, `by_motion` is its inverse."""
    from scipy.spatial.transform import Rotation

    turns = Rotation.from_matrix(transform.rotation.reshape(-1, 3, 3)).as_rotvec()
    return np.concatenate([turns.reshape(transform.translation.shape), transform.translation], axis=-1)


def by_motion(motion: Float64[np.ndarray, "*batch 6"]) -> Rigid:
    """The transform that turns by a rotation vector (radians), then moves."""
    from scipy.spatial.transform import Rotation

    turns = Rotation.from_rotvec(motion[..., :3].reshape(-1, 3)).as_matrix()
    return Rigid(turns.reshape(*motion.shape[:-1], 3, 3), motion[..., 3:].copy())


def between(before: Rigid, after: Rigid, share: Float64[np.ndarray, "*batch"] | float) -> Rigid:
    """Poses `body_from_world` at a share of the way: the rotation by slerp, the body's centre on the straight line.

    A share of 0 is `before`, 1 is `after`. Of a body that turns, linear translations would bend the way.
    """
    share = np.asarray(share)[..., None]
    turn = motion_of(Rigid(after.rotation @ np.swapaxes(before.rotation, -1, -2), np.zeros_like(before.translation)))
    rotation = by_motion(share * turn).rotation @ before.rotation
    center = (1 - share) * before.center + share * after.center
    return Rigid(rotation, -np.einsum("...ij,...j->...i", rotation, center))
