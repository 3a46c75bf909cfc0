"""How far poses are from the truth."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from .rigid import Rigid

Errors = Float64[np.ndarray, "*batch"] | np.float64
"""one a pose; a number for single poses"""


def pose_errors(found: Rigid, truth: Rigid) -> tuple[Errors, Errors]:
    """Of two `cam_from_world`, pose by pose: metres between the camera centres, and radians between the rotations."""
    metres = np.linalg.norm(found.center - truth.center, axis=-1)
    return metres, rotation_angle(found.rotation, truth.rotation)


def rotation_angle(first: Float64[np.ndarray, "*_ 3 3"], second: Float64[np.ndarray, "*_ 3 3"]) -> Errors:
    """Angles, radians in [0, pi], of the rotations from one to the other; leading axes broadcast.

    atan2 of sine and cosine, so that tiny angles and half turns keep their digits (an arccos loses half of them).
    """
    between = first @ np.swapaxes(second, -1, -2)
    cosine = (np.trace(between, axis1=-2, axis2=-1) - 1) / 2
    skew = between - np.swapaxes(between, -1, -2)
    axis = np.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], axis=-1)
    return np.arctan2(np.linalg.norm(axis, axis=-1) / 2, cosine)
