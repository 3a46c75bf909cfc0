"""How well a pose says where points are seen."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import by_point_in_cam
from ..geometry.rigid import Rigid


def projection_sigma(
    camera: Camera,
    cam_from_world: Rigid,
    covariance: Float64[np.ndarray, "6 6"],
    points_in_world: Float64[np.ndarray, "m 3"],
) -> Float64[np.ndarray, "m"]:
    """Root mean square distance, px, from where points in front of the camera project under the true pose.

    `covariance`: of (rotation, translation), the left perturbation, so a point x in the camera moves by w x x + t.
    """
    x = cam_from_world.apply(points_in_world)
    by_x = by_point_in_cam(camera, x).transpose(2, 1, 0)  # (m, 2, 3)
    by_pose = np.concatenate([np.cross(x[:, None], by_x), by_x], axis=2)
    variances: np.ndarray = np.einsum("mak,kl,mal->m", by_pose, covariance, by_pose, optimize=True)
    return np.sqrt(variances)
