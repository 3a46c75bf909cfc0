"""DenseVLAD: aggregated dense RootSIFT, with a vocabulary and a whitening learned on the map's own images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import Float32, UInt8
from ..data.features import Arrays, GlobalDescriptor
from ..errors import StageError
from ..features.reduced_size import reduced
from ..runtime import Map, Runtime
from .base import DESCRIPTORS, Describer
from .dense_sift import dense_root_sift
from .vlad import aggregate, learn_vocabulary, share_of_each
from .whitening import learned_whitening, whitened

CELL_SIZES = (4, 6, 8, 10)
"""px; a patch is four cells wide, as in the paper"""


@DESCRIPTORS.register("densevlad")
@dataclass(frozen=True)
class DenseVlad:
    """Multi-scale dense RootSIFT in a VLAD (Torii et al., 24/7 place recognition by view synthesis, CVPR 2015)."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False

    image_size: Annotated[int, msgspec.Meta(ge=64)] = 480
    """longer side at which an image is looked at (px); smaller ones are taken as they are"""
    step: Annotated[int, msgspec.Meta(ge=1)] = 8
    """distance between the patches of one size (px)"""
    num_words: Annotated[int, msgspec.Meta(ge=1)] = 128
    """size of the vocabulary"""
    dims: Annotated[int, msgspec.Meta(ge=1)] = 256
    """length of the descriptor after whitening; a map of fewer than twice as many images keeps the whole VLAD"""

    def train(self, runtime: Runtime, images: Iterable[UInt8[np.ndarray, "h w"]], seed: int) -> Arrays:
        """`words` (words, 128), and for maps large enough `mean` (d) and `projection` (d, dims), in one pass.

        StageError where no image shows any texture.
        """
        rng = np.random.default_rng(seed)
        kept = [reduced(image, self.image_size) for image in images]
        with runtime.mapping() as each:
            words = learn_vocabulary(self._sample(kept, rng, each), self.num_words, rng)

            def vlads() -> Iterable[np.ndarray]:
                return each(lambda image: aggregate(self._patches(image), words), kept)

            return {"words": words, **learned_whitening(vlads, len(kept), self.dims)}

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        """The describer of grey images, with what `train` gave."""

        def describe(image: UInt8[np.ndarray, "h w"]) -> GlobalDescriptor:
            vlad = aggregate(self._patches(reduced(image, self.image_size)), trained["words"])
            return GlobalDescriptor(whitened(vlad, trained))

        return describe

    def _patches(self, image: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "n 128"]:
        return dense_root_sift(image, CELL_SIZES, self.step)

    def _sample(
        self, images: Sequence[np.ndarray], rng: np.random.Generator, each: Map
    ) -> Float32[np.ndarray, "n 128"]:
        """Patches drawn evenly from all images."""
        quota = share_of_each(self.num_words, len(images))

        def some(image: np.ndarray, rng: np.random.Generator) -> Float32[np.ndarray, "some 128"]:
            patches = self._patches(image)
            return patches[rng.permutation(len(patches))[:quota]]

        drawn = list(each(some, images, rng.spawn(len(images))))
        if not sum(map(len, drawn)):
            raise StageError(f"densevlad: none of {len(images)} images shows any texture to learn a vocabulary from")
        return np.concatenate(drawn)
