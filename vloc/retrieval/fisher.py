"""Fisher vectors: how an image's local features pull at a mixture of Gaussians that was learned on the map's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.features import Arrays
from ..data.selection import evenly
from .aggregated import Aggregated, ImageFeatures, unit_rows
from .base import DESCRIPTORS
from .vlad import share_of_each, unit
from .whitening import learned_whitening, whitened

ITERATIONS = 10
"""of expectation maximisation"""
LEAST_VARIANCE = 1e-5
"""of a Gaussian along an axis; descriptors have length 1"""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians of diagonal covariance: shares (k), means (k, r) and variances (k, r)."""

    shares: Float32[np.ndarray, "k"]
    means: Float32[np.ndarray, "k r"]
    variances: Float32[np.ndarray, "k r"]

    def memberships(self, rows: Float32[np.ndarray, "n r"]) -> Float32[np.ndarray, "n k"]:
        """How likely each row is of each Gaussian."""
        precision = 1 / self.variances
        squared = rows**2 @ precision.T - 2 * rows @ (self.means * precision).T
        constant = np.log(self.shares) - (np.log(self.variances) + self.means**2 * precision).sum(axis=1) / 2
        logarithms = constant - squared / 2
        likely = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        memberships: Float32[np.ndarray, "n k"] = likely / likely.sum(axis=1, keepdims=True)
        return memberships

    def fitted(self, rows: Float32[np.ndarray, "n r"]) -> Mixture:
        """One round of expectation maximisation; a Gaussian that no row is of stays in its place."""
        shares, sums, squares = self._moments(rows)
        counts = np.maximum(shares, np.finfo(np.float32).tiny)[:, None]
        means = np.where(shares[:, None] > 1, sums / counts, self.means)
        variances = np.where(shares[:, None] > 1, squares / counts - means**2, self.variances)
        return Mixture((shares + 1) / (shares + 1).sum(), means, np.maximum(variances, LEAST_VARIANCE))

    def gradient(self, rows: Float32[np.ndarray, "n r"]) -> Float32[np.ndarray, "k_times_2r"]:
        """Of the mean log likelihood by means, then deviations, in units of the Fisher information (eq. 17 and 18)."""
        shares, sums, squares = self._moments(rows)
        deviations, weights = np.sqrt(self.variances), np.sqrt(self.shares)[:, None] * max(len(rows), 1)
        by_mean = (sums - shares[:, None] * self.means) / deviations
        spread = squares - 2 * sums * self.means + shares[:, None] * self.means**2
        by_deviation = (spread / self.variances - shares[:, None]) / 2**0.5
        return np.concatenate([by_mean / weights, by_deviation / weights], axis=1).ravel()

    def _moments(self, rows: Float32[np.ndarray, "n r"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sums over the rows, by how much they are of each Gaussian: of 1 (k), of them and of their squares (k, r)."""
        of_each = self.memberships(rows).T
        return of_each.sum(axis=1), of_each @ rows, of_each @ rows**2


@DESCRIPTORS.register("fisher")
@dataclass(frozen=True)
class FisherVector(Aggregated):
    """Roots of the gradients of a mixture of Gaussians (Sanchez et al., Fisher vector, IJCV 2013)."""

    num_words: Annotated[int, msgspec.Meta(ge=1)] = 64
    """Gaussians of the mixture"""
    components: Annotated[int, msgspec.Meta(ge=1)] = 64
    """principal components of the local descriptors that are looked at"""
    dims: Annotated[int, msgspec.Meta(ge=1)] = 256
    """length of the descriptor after whitening; a map of fewer than twice as many images keeps the whole vector"""

    def learn(self, images: ImageFeatures, words: Float32[np.ndarray, "words d"]) -> Arrays:
        """The local descriptors' `center` and `axes`, the mixture, and the whitening where there are images enough."""
        share = share_of_each(len(words), len(images))
        rows = np.concatenate([unit_rows(each)[evenly(range(len(each)), share)] for each in images])
        center = rows.mean(axis=0)
        axes = np.linalg.svd(rows - center, full_matrices=False)[2][: self.components].T
        rows, means = (rows - center) @ axes, (words - center) @ axes
        mixture = Mixture(
            np.full(len(words), 1 / len(words), np.float32), means, np.tile(rows.var(axis=0), (len(words), 1))
        )
        for _ in range(ITERATIONS):
            mixture = mixture.fitted(rows)
        learned = {"center": center, "axes": axes, **vars(mixture)}
        vectors = partial(map, lambda each: self.vector(unit_rows(each), learned), images)
        return learned | learned_whitening(vectors, len(images), self.dims)

    def vector(self, rows: Float32[np.ndarray, "n d"], trained: Arrays) -> Float32[np.ndarray, "dims"]:
        """The gradient's signed roots, whitened if that was learned."""
        mixture = Mixture(trained["shares"], trained["means"], trained["variances"])
        gradient = mixture.gradient((rows - trained["center"]) @ trained["axes"])
        return whitened(unit(np.sign(gradient) * np.sqrt(np.abs(gradient))), trained)
