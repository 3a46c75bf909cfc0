"""Image -> global descriptor, with what the descriptor learned from the map's images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..data.features import GlobalDescriptor
from ..data.selection import Trained
from ..retrieval.base import GlobalFeature
from ..runtime import Runtime
from ..stage import EachStage, OnceStage, Run


def _train(descriptor: GlobalFeature, runtime: Runtime, images: Iterable[np.ndarray], seed: int) -> Trained:
    return Trained(descriptor.train(runtime, images, seed))


def _start(descriptor: GlobalFeature, runtime: Runtime, trained: Trained) -> Run[np.ndarray, GlobalDescriptor]:
    describer = descriptor.load(runtime, trained.arrays)

    def run(images: Iterable[np.ndarray]) -> Iterator[GlobalDescriptor]:
        return map(describer, images)

    return run


TRAIN: OnceStage[Trained] = OnceStage("train", 2, Trained, _train)
DESCRIBE: EachStage[np.ndarray, GlobalDescriptor] = EachStage("describe", 1, GlobalDescriptor, _start)
