"""The pose of a query from the poses of similar images alone: no matches, no points.

Pion et al., Benchmarking Image Retrieval for Visual Localization (3DV 2020), section 3; BDI is Torii et al. 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Float64
from ..geometry.rigid import Rigid

RIDGE = 1e-3
"""of the descriptors' mean squared length; images that look alike share a weight instead of one having all of it"""
SUM_TO_ONE = 1e3
"""how much more than a descriptor's length it counts that weights sum to 1, before they are scaled to do so"""
WITHIN_95 = 2.7955
"""standard deviations within which 95 % of the lengths of normally distributed vectors of three numbers lie"""


@dataclass(frozen=True)
class ApproximationConfig:
    """How much each retrieved image counts for the pose that is approximated from theirs."""

    weights: Literal["ewb", "bdi", "csi"] = "csi"
    """ewb: all alike; bdi: as they mix to what is nearest the query's descriptor; csi: by cosine with it"""
    power: Annotated[float, msgspec.Meta(ge=0)] = 8.0
    """of csi, to which cosines are raised"""


def weights_of(
    config: ApproximationConfig, cosines: Float64[np.ndarray, "k"], gram: Float64[np.ndarray, "k k"]
) -> Float64[np.ndarray, "k"]:
    """How much each of k images counts; none less than nothing, together 1.

    `cosines`: of their descriptors with the query's, negative ones taken as 0; `gram`: with each other. All images
    count alike where none has anything in common with the query.
    """
    if config.weights == "bdi":
        return mixture(cosines, gram)
    counted = np.ones_like(cosines) if config.weights == "ewb" else np.maximum(cosines, 0) ** config.power
    total = counted.sum()
    return counted / total if total > 0 else np.full(len(cosines), 1 / len(cosines))


def mixture(cosines: Float64[np.ndarray, "k"], gram: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k"]:
    """The w >= 0 with sum 1 that minimise |q - sum w_i d_i|^2 + ridge |w|^2, from descriptors' inner products.

    Published without w >= 0, where descriptors that are nearly alike get large weights of both signs.
    """
    from scipy.optimize import nnls

    count = len(cosines)
    ridge = RIDGE * max(float(np.trace(gram)) / count, float(np.finfo(np.float32).tiny))
    values, vectors = np.linalg.eigh(gram)
    scale = np.sqrt(np.maximum(values, 0) + ridge)
    design = np.vstack([scale[:, None] * vectors.T, np.full(count, SUM_TO_ONE * scale.max())])
    weights: np.ndarray = nnls(design, np.append(vectors.T @ cosines / scale, SUM_TO_ONE * scale.max()))[0]
    return weights / weights.sum()


def barycentre(cam_from_world: Rigid, weights: Float64[np.ndarray, "k"]) -> Rigid:
    """The weighed mean of k poses: of their rotations (Markley et al. 2007), and of their camera centres."""
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_matrix(cam_from_world.rotation).mean(weights).as_matrix()
    return Rigid(rotation, -rotation @ (weights @ cam_from_world.center))


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """How far approximations are off by the cosine of the most similar image, which rises.

    `sigmas`: standard deviation of each component of rotation (radians) and centre (metres, or map units).
    """

    cosines: Float64[np.ndarray, "c"]
    sigmas: Float64[np.ndarray, "c 2"]

    def covariance(self, cosine: float) -> Float64[np.ndarray, "6 6"]:
        """Of (rotation, translation) of an approximation, as `PoseEstimate.covariance`."""
        radians, metres = (np.interp(cosine, self.cosines, column) for column in self.sigmas.T)
        return np.diag(np.square(np.repeat([radians, metres], 3)))

    @classmethod
    def of(cls, cosines: Float64[np.ndarray, "c"], within_95: Float64[np.ndarray, "c 2"]) -> ErrorCurve:
        """From what 95 % of angles and distances are within; less similar images tell no more."""
        falling = np.maximum.accumulate(within_95[::-1])[::-1]
        return cls(cosines, falling / WITHIN_95)
