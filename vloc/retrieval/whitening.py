"""Principal components of global descriptors, whitened as far as their number allows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..array_types import Float32
from .vlad import unit

IMAGES_PER_DIMENSION = 2
"""fewer images than this for every kept dimension are not whitened"""


def is_learnable(num_images: int, dims: int) -> bool:
    """Whether so many images say enough about `dims` dimensions.

    Whitening i vectors to i - 1 dimensions makes them all equally far apart: on the 12 images of
    virtual_gallery_tutorial it lowered the overlap of the three best from 97 % to 80 % of what is possible.
    """
    return num_images >= IMAGES_PER_DIMENSION * dims


def learn_whitening(
    vectors: Float32[np.ndarray, "i d"], dims: int
) -> tuple[Float32[np.ndarray, "d"], Float32[np.ndarray, "d dims"]]:
    """Mean, and projection to `dims` decorrelated dimensions of equal variance (Jegou & Chum, ECCV 2012).

    Eigenvalues are shrunk towards their mean by dims / i: the fewer vectors, the nearer to a plain rotation.
    """
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    # the eigenvectors of the (d, d) covariance from those of the far smaller (i, i) Gram matrix
    eigenvalues, combinations = np.linalg.eigh((centred @ centred.T).astype(np.float64) / len(vectors))
    top = slice(None, -dims - 1, -1)
    eigenvalues, combinations = np.maximum(eigenvalues[top], 0), combinations[:, top]
    axes = centred.T @ combinations.astype(np.float32)
    axes /= np.maximum(np.linalg.norm(axes, axis=0), np.finfo(np.float32).tiny)
    shrinkage = dims / len(vectors)
    variances = (1 - shrinkage) * eigenvalues + shrinkage * eigenvalues.mean()
    return mean, (axes / np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))).astype(np.float32)


def whitened(vector: Float32[np.ndarray, "d"], trained: Mapping[str, np.ndarray]) -> Float32[np.ndarray, "dims"]:
    """A vector with the `mean` and `projection` learned, a unit vector again; zeros stay zeros."""
    projected = (vector - trained["mean"]) @ trained["projection"]
    return unit(projected) if vector.any() else np.zeros_like(projected)
