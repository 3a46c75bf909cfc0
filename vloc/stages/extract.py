"""Image -> local features, from its pixels or from arrays that another program made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..data.features import LocalFeatures
from ..features.base import Extractor, LocalFeature
from ..features.imported import Arrays
from ..geometry.quarter_turns import angles_turned_back, turned_back
from ..runtime import Runtime
from ..stage import EachStage, Run
from .images import Photo


def _start(feature: LocalFeature, runtime: Runtime) -> Run[Photo | Arrays, LocalFeatures]:
    extractor = feature.load(runtime)

    def run(images: Iterable[Photo | Arrays]) -> Iterator[LocalFeatures]:
        return (extract(extractor, image) for image in images)

    return run


def extract(extractor: Extractor, image: Photo | Arrays) -> LocalFeatures:
    """The features of an image, their keypoints in px of the stored image however it is turned."""
    if not isinstance(image, Photo):
        return extractor(image)
    features, shape = extractor(image.pixels), image.pixels.shape[:2]
    turns = image.quarter_turns
    if not turns:
        return features
    angles = None if features.angles is None else angles_turned_back(features.angles, turns)
    keypoints = turned_back(features.keypoints, turns, shape)
    return replace(features, keypoints=keypoints, quarter_turns=turns, angles=angles)


EXTRACT: EachStage[Photo | Arrays, LocalFeatures] = EachStage("extract", 3, LocalFeatures, _start, chunk=16)
