"""Image -> local features, from its pixels or from arrays that another program made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..data.features import LocalFeatures
from ..features.base import LocalFeature
from ..runtime import Runtime
from ..stage import EachStage, Run


def _start(feature: LocalFeature, runtime: Runtime) -> Run[Any, LocalFeatures]:
    extractor = feature.load(runtime)

    def run(images: Iterable[Any]) -> Iterator[LocalFeatures]:
        return map(extractor, images)

    return run


EXTRACT: EachStage[Any, LocalFeatures] = EachStage("extract", 2, LocalFeatures, _start, chunk=16)
