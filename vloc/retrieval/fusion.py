"""Late fusion: one similarity out of those of several global descriptors.

Humenberger et al., Robust image retrieval-based visual localization using kapture (2020), section 3; Villena-Roman et
al. (2008) for the operators. s_i is the cosine by descriptor i, a_i its weight (they sum to 1), n their number.
Where powers and fractions are not defined, a cosine counts as the nearest for which they are (0: nothing in common).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32, Float64
from ..errors import ConfigError
from ..registry import Registry

Similarities = Float32[np.ndarray, "n q r"]
Weights = Float32[np.ndarray, "n 1 1"]
Fused = Float32[np.ndarray, "q r"]
AUTO = "auto"
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Fusion(ABC):
    """Settings of an operator; more is more similar."""

    plugin_name: ClassVar[str]

    weights: str = ""
    """a positive number for each descriptor, as 2/1, or auto: those that find the map's own neighbours best; all alike
    unless given, and not every operator looks at them"""

    standardize: bool = False
    """of several descriptors, bring every query's similarities by each to one mean and spread before they are fused"""

    def __post_init__(self) -> None:
        # A comma, as on the command line, would end the setting in the written form.
        object.__setattr__(self, "weights", self.weights.replace(",", "/"))

    @property
    def is_open(self) -> bool:
        """Whether the weights are still to be chosen, on a map."""
        return self.weights == AUTO

    def weighed(self, weights: Float64[np.ndarray, "n"] | None) -> Fusion:
        """The same operator with other weights; None: equal ones."""
        return replace(self, weights="" if weights is None else "/".join(repr(float(w)) for w in weights))

    def fuse(self, similarities: Sequence[Float32[np.ndarray, "q r"]]) -> Fused:
        """One matrix of those of all descriptors. ConfigError where there is not a weight for each."""
        given = self.shares(len(similarities)).astype(np.float32)
        stacked = np.stack(similarities)
        if self.standardize and len(stacked) > 1:
            _standardize(stacked)
        return self._fuse(stacked, given[:, None, None])

    def shares(self, count: int) -> Float64[np.ndarray, "n"]:
        """The weights of so many descriptors, which sum to 1."""
        try:
            given = np.array([float(text) for text in self.weights.split("/")] if self.weights else np.ones(count))
        except ValueError:
            given = np.zeros(0)
        if len(given) != count or not (np.isfinite(given) & (given > 0)).all():
            raise ConfigError(f"fusion weights '{self.weights}': expected {count} positive numbers, a descriptor each")
        return given / given.sum()

    @abstractmethod
    def _fuse(self, s: Similarities, a: Weights) -> Fused: ...


def _standardize(s: Similarities) -> None:
    """Give every row mean 1/2 and standard deviation 1/8, in place: nearly all of it is in what operators take.

    Rows without any spread become 1/2.
    """
    s -= s.mean(axis=2, keepdims=True)
    spread = s.std(axis=2, keepdims=True)
    s /= 8 * np.where(spread > 0, spread, 1)
    s += 0.5


FUSIONS: Registry[Fusion] = Registry("fusion")


def _mean(s: Similarities, a: Weights) -> Fused:
    fused: Fused = (a * s).sum(axis=0)
    return fused


def _power(s: Similarities, a: Weights) -> Fused:
    fused: Fused = np.prod(_not_negative(s) ** a, axis=0)
    return fused


def _not_negative(s: Similarities) -> Similarities:
    clipped: Similarities = np.maximum(s, 0)
    return clipped


def _extremes(s: Similarities) -> tuple[Fused, Fused]:
    return s.min(axis=0), s.max(axis=0)


@FUSIONS.register("mean")
@dataclass(frozen=True)
class Mean(Fusion):
    """sum_i a_i s_i."""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _mean(s, a)


@FUSIONS.register("power")
@dataclass(frozen=True)
class Power(Fusion):
    """prod_i s_i^a_i, the geometric mean."""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _power(s, a)


@FUSIONS.register("maximum")
@dataclass(frozen=True)
class Maximum(Fusion):
    """max_i s_i; weights do not matter."""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _extremes(s)[1]


@FUSIONS.register("minimum")
@dataclass(frozen=True)
class Minimum(Fusion):
    """min_i s_i; weights do not matter."""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _extremes(s)[0]


@FUSIONS.register("mean_and_power")
@dataclass(frozen=True)
class MeanAndPower(Fusion):
    """gamma mean + (1 - gamma) power."""

    gamma: Share = 0.5
    """share of the mean"""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return self.gamma * _mean(s, a) + (1 - self.gamma) * _power(s, a)


@FUSIONS.register("mean_and_min")
@dataclass(frozen=True)
class MeanAndMin(Fusion):
    """gamma mean + (1 - gamma) min_i s_i."""

    gamma: Share = 0.5
    """share of the mean"""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return self.gamma * _mean(s, a) + (1 - self.gamma) * _extremes(s)[0]


@FUSIONS.register("min_and_max")
@dataclass(frozen=True)
class MinAndMax(Fusion):
    """gamma min_i s_i + (1 - gamma) max_i s_i; weights do not matter."""

    gamma: Share = 0.5
    """share of the minimum"""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        least, most = _extremes(s)
        return self.gamma * least + (1 - self.gamma) * most


@FUSIONS.register("villena_roman")
@dataclass(frozen=True)
class VillenaRoman(Fusion):
    """(1 - alpha) max + alpha min^2 / (max + min); weights do not matter."""

    alpha: Share = 0.5
    """share of the second term"""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        least, most = _extremes(_not_negative(s))
        # the limit of the fraction at max = min = 0 is 0
        return (1 - self.alpha) * most + self.alpha * least**2 / np.where(most > 0, most + least, 1)


@FUSIONS.register("harmonic_mean")
@dataclass(frozen=True)
class HarmonicMean(Fusion):
    """1 / sum_i 1 / (n a_i s_i), and 0 where any s_i is not positive."""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _generalized_harmonic_mean(s, a, 0.0)


@FUSIONS.register("gharm")
@dataclass(frozen=True)
class GeneralizedHarmonicMean(Fusion):
    """1 / sum_i 1 / (n (gamma + a_i s_i)) - gamma: the paper's GHarm, its best on the whole."""

    gamma: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """the larger, the nearer to the arithmetic mean"""

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        return _generalized_harmonic_mean(s, a, self.gamma)


def _generalized_harmonic_mean(s: Similarities, a: Weights, gamma: float) -> Fused:
    # A term of almost 0 makes the mean almost 0, which is its limit.
    terms = np.maximum(gamma + a * s, np.finfo(np.float32).tiny)
    fused: Fused = len(s) / (1 / terms).sum(axis=0, dtype=np.float64) - gamma
    return fused.astype(np.float32)


@FUSIONS.register("round_robin")
@dataclass(frozen=True)
class RoundRobin(Fusion):
    """Every descriptor in turn names its best image not named yet; the first named gets 1, the last 1 / r.

    Weights do not matter; the order of the descriptors does.
    """

    def _fuse(self, s: Similarities, a: Weights) -> Fused:
        turn = _ranks(-s) * len(s) + np.arange(len(s))[:, None, None]
        named = _ranks(turn.min(axis=0))
        return (1 - named / np.float32(s.shape[2])).astype(np.float32)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Place of every value along the last axis, the smallest 0; equal ones in the order of columns."""
    order = values.argsort(axis=-1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(values.shape[-1]), order.shape), axis=-1)
    return ranks
