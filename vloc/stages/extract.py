"""Image -> local features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..data.features import LocalFeatures
from ..features.base import LocalFeature
from ..runtime import Runtime
from ..stage import EachStage, Run


def _start(feature: LocalFeature, runtime: Runtime) -> Run[np.ndarray, LocalFeatures]:
    extractor = feature.load(runtime)

    def run(images: Iterable[np.ndarray]) -> Iterator[LocalFeatures]:
        return map(extractor, images)

    return run


EXTRACT: EachStage[np.ndarray, LocalFeatures] = EachStage("extract", 2, LocalFeatures, _start, chunk=16)
