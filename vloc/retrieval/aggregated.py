"""Global descriptors made of an image's local features, by a vocabulary learned on the map's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.features import Arrays, GlobalDescriptor, LocalFeatures
from ..errors import StageError
from ..runtime import Runtime
from .base import DESCRIPTORS, Describer
from .vlad import aggregate, learn_vocabulary, nearest_words, share_of_each, unit
from .whitening import learned_whitening, whitened

INVERTED_UNDER = 0.05
"""of a vocabulary is what an image shows of it: under this an inverted index takes less time than products with all
zeros do (`tests/benchmarks/bench_sparse.py`)"""


@runtime_checkable
class ImageFeatures(Protocol):
    """The local features of some images, which can be gone through again: not all of them have to be in memory."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[LocalFeatures]: ...


@dataclass(frozen=True)
class Aggregated(ABC):
    """An aggregation of local features over a vocabulary."""

    plugin_name: ClassVar[str]

    of: str = ""
    """local feature, NAME with its default settings; unless given, that of the map"""
    num_words: Annotated[int, msgspec.Meta(ge=1)] = 128
    """size of the vocabulary"""

    @abstractmethod
    def learn(self, images: ImageFeatures, words: Float32[np.ndarray, "words d"]) -> Arrays:
        """What there is to learn from images beside the vocabulary."""

    @abstractmethod
    def vector(self, rows: Float32[np.ndarray, "n d"], trained: Arrays) -> Float32[np.ndarray, "dims"]:
        """The unit vector of an image's unit descriptors; zeros of none."""

    def train(self, runtime: Runtime, images: ImageFeatures, seed: int) -> Arrays:
        """`words` (words, d), and what `learn` adds; images are gone through twice, one at a time.

        StageError where no image has features.
        """
        rng, quota = np.random.default_rng(seed), share_of_each(self.num_words, len(images))
        drawn = [unit_rows(features[rng.permutation(len(features))[:quota]]) for features in images]
        if not sum(map(len, drawn)):
            raise StageError(f"{self.plugin_name}: none of {len(images)} images has features to learn from")
        words = learn_vocabulary(np.concatenate(drawn), self.num_words, rng)
        return {"words": words, **self.learn(images, words)}

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of local features, with what `train` gave."""
        is_sparse = self.is_sparse(trained)
        return lambda features: GlobalDescriptor(self.vector(unit_rows(features), trained), is_sparse)

    def is_sparse(self, trained: Arrays) -> bool:
        """Whether nearly all numbers of a descriptor are zeros."""
        return False


@DESCRIPTORS.register("vlad")
@dataclass(frozen=True)
class LocalVlad(Aggregated):
    """Vectors of locally aggregated descriptors (Jegou et al., CVPR 2010; Arandjelovic and Zisserman, CVPR 2013)."""

    dims: Annotated[int, msgspec.Meta(ge=1)] = 256
    """length of the descriptor after whitening; a map of fewer than twice as many images keeps the whole VLAD"""
    num_assigned: Annotated[int, msgspec.Meta(ge=1)] = 1
    """nearest words that every local descriptor counts for (multiple assignment)"""
    power: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """of every number of the sums of residuals, which keeps its sign; the less, the less bursts count"""

    def learn(self, images: ImageFeatures, words: Float32[np.ndarray, "words d"]) -> Arrays:
        """`mean` and `projection` of the whitening, where there are images enough."""
        vlads = partial(map, lambda each: self._sums(unit_rows(each), words), images)
        return learned_whitening(vlads, len(images), self.dims)

    def vector(self, rows: Float32[np.ndarray, "n d"], trained: Arrays) -> Float32[np.ndarray, "dims"]:
        """The VLAD, whitened if that was learned."""
        return whitened(self._sums(rows, trained["words"]), trained)

    def _sums(
        self, rows: Float32[np.ndarray, "n d"], words: Float32[np.ndarray, "words d"]
    ) -> Float32[np.ndarray, "words_times_d"]:
        return aggregate(rows, words, self.num_assigned, self.power)


@DESCRIPTORS.register("bow")
@dataclass(frozen=True)
class BagOfWords(Aggregated):
    """How often each word is seen, rare words more (tf-idf; Sivic and Zisserman, ICCV 2003, eq. 1).

    Square roots of the counts, as a word that is seen comes in bursts (Jegou et al., CVPR 2009).
    """

    num_words: Annotated[int, msgspec.Meta(ge=1)] = 1024
    """size of the vocabulary; where images show a few of all words, descriptors are stored without zeros and searched
    by an inverted index"""

    def is_sparse(self, trained: Arrays) -> bool:
        """Whether images of the map show a few of all words, on average."""
        return float(np.exp(-trained["rareness"]).mean()) < INVERTED_UNDER

    def learn(self, images: ImageFeatures, words: Float32[np.ndarray, "words d"]) -> Arrays:
        """`rareness` (words): log of the number of images over that of images with the word."""
        seen = np.zeros(len(words), np.float32)
        for features in images:
            seen[np.unique(nearest_words(unit_rows(features), words))] += 1
        return {"rareness": np.log(len(images) / np.maximum(seen, 1))}

    def vector(self, rows: Float32[np.ndarray, "n d"], trained: Arrays) -> Float32[np.ndarray, "dims"]:
        """Roots of the counts times rareness."""
        words, rareness = trained["words"], trained["rareness"]
        counts = np.bincount(nearest_words(rows, words).ravel(), minlength=len(words))
        return unit(np.sqrt(counts).astype(np.float32) * rareness)


def unit_rows(features: LocalFeatures) -> Float32[np.ndarray, "n d"]:
    """Descriptors as unit vectors."""
    return features.descriptors / features.lengths[:, None]
