"""A camera pose together with an unknown focal length: COLMAP's LO-RANSAC over four-point samples (P4Pf)."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.projection import unproject
from ..geometry.rigid import Rigid
from .colmap import pycolmap

MIN_INLIER_RATIO = 0.05
"""of the matches; with a smaller share no more samples are drawn"""


def prepare() -> None:
    """Load COLMAP, for the main thread to do before others look for focal lengths: only there do signals stay whole."""
    pycolmap()


def pose_and_focal(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    max_error_px: float,
    num_samples: tuple[int, int],
    confidence: float,
    seed: int,
) -> tuple[Rigid, float] | None:
    """`cam_from_world` of the largest consensus and ln of its focal length's ratio to the camera's, or None.

    `num_samples`: at least and at most. The camera's distortion is kept. None where no focal length explains the
    matches, as for a plane seen head-on.
    """
    center = camera.principal_point
    pixels = unproject(camera, points2d) * camera.focal[0] + center
    known = np.isfinite(pixels).all(1)
    pinhole = pycolmap().Camera(
        model="SIMPLE_PINHOLE", width=camera.width, height=camera.height, params=[camera.focal[0], *center]
    )
    options = _options(max_error_px, num_samples, confidence, seed)
    found = pycolmap().estimate_absolute_pose(pixels[known], points_in_world[known], pinhole, options)
    focal = float(pinhole.params[0])  # COLMAP changes the camera that it is given
    if found is None or not 0 < focal < np.inf:
        return None
    matrix = np.array(found["cam_from_world"].matrix())
    return Rigid(matrix[:, :3], matrix[:, 3]), float(np.log(focal / camera.focal[0]))


def _options(max_error_px: float, num_samples: tuple[int, int], confidence: float, seed: int) -> object:
    options = pycolmap().AbsolutePoseEstimationOptions(estimate_focal_length=True)
    ransac = options.ransac
    ransac.max_error, ransac.confidence, ransac.random_seed = max_error_px, confidence, seed
    ransac.min_num_trials, ransac.max_num_trials = num_samples
    ransac.min_inlier_ratio = MIN_INLIER_RATIO
    return options
