"""Principal components of global descriptors, whitened as far as their number allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..array_types import Float32
from ..data.features import Arrays
from .vlad import unit

IMAGES_PER_DIMENSION = 2
"""fewer images than this for every kept dimension are not whitened"""


def is_learnable(num_images: int, dims: int) -> bool:
    """Whether so many images say enough about `dims` dimensions.

    Whitening i vectors to i - 1 dimensions makes them all equally far apart: on the 12 images of
    virtual_gallery_tutorial it lowered the overlap of the three best from 97 % to 80 % of what is possible.
    """
    return num_images >= IMAGES_PER_DIMENSION * dims


def learned_whitening(vectors: Callable[[], Iterable[Float32[np.ndarray, "d"]]], num_images: int, dims: int) -> Arrays:
    """`mean` (d) and `projection` (d, dims) from the descriptors of so many images; nothing where they are too few.

    Descriptors that are zeros, of images that show nothing, do not count.
    """
    if not is_learnable(num_images, dims):
        return {}
    shown = np.array([vector for vector in vectors() if vector.any()])
    if not is_learnable(len(shown), dims):
        return {}
    mean, projection = learn_whitening(shown, dims)
    return {"mean": mean, "projection": projection}


def learn_whitening(
    vectors: Float32[np.ndarray, "i d"], dims: int
) -> tuple[Float32[np.ndarray, "d"], Float32[np.ndarray, "d dims"]]:
    """Mean, and projection to `dims` decorrelated dimensions of equal variance (Jegou & Chum, ECCV 2012).

    Eigenvalues are shrunk towards their mean by dims / i: the fewer vectors, the nearer to a plain rotation. The
    vectors, which take most of the memory of a training, are centred where they are.
    """
    mean = vectors.mean(axis=0)
    vectors -= mean
    # the eigenvectors of the (d, d) covariance from those of the far smaller (i, i) Gram matrix
    eigenvalues, combinations = np.linalg.eigh((vectors @ vectors.T).astype(np.float64) / len(vectors))
    top = slice(None, -dims - 1, -1)
    eigenvalues, combinations = np.maximum(eigenvalues[top], 0), combinations[:, top]
    axes = vectors.T @ combinations.astype(np.float32)
    shrinkage = dims / len(vectors)
    variances = (1 - shrinkage) * eigenvalues + shrinkage * eigenvalues.mean()
    least = np.finfo(np.float32).tiny
    axes /= np.maximum(np.linalg.norm(axes, axis=0), least)
    return mean, np.divide(axes, np.sqrt(np.maximum(variances, least)), out=axes, casting="same_kind")


def whitened(vector: Float32[np.ndarray, "d"], trained: Arrays) -> Float32[np.ndarray, "dims"]:
    """A vector with the `mean` and `projection` learned, a unit vector again; itself where none were.

    Zeros stay zeros.
    """
    if "projection" not in trained:
        return vector
    projected = (vector - trained["mean"]) @ trained["projection"]
    return unit(projected) if vector.any() else np.zeros_like(projected)
