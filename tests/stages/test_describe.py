"""A descriptor of two numbers, worked out by hand: how bright an image is against those it learned from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vloc.data.features import Arrays, GlobalDescriptor
from vloc.retrieval.base import Describer
from vloc.runtime import Runtime
from vloc.stages.describe import DESCRIBE, TRAIN


@dataclass(frozen=True)
class Brightness:
    """Says whether an image is darker or brighter than the mean of the map."""

    plugin_name: ClassVar[str] = "brightness"
    in_color: ClassVar[bool] = False
    image_size: int = 100

    def train(self, runtime, images: Iterable[np.ndarray], seed: int) -> Arrays:
        return {"mean": np.array([np.mean([image.mean() for image in images])]), "seed": np.array([seed])}

    def load(self, runtime: Runtime, trained: Arrays) -> Describer:
        def describe(image: np.ndarray) -> GlobalDescriptor:
            is_brighter = image.mean() > trained["mean"][0]
            return GlobalDescriptor(np.array([is_brighter, not is_brighter], np.float32))

        return describe


def test_images_are_described_by_what_was_learned_from_the_map() -> None:
    images = [np.full((4, 4), level, np.uint8) for level in (10, 200, 90)]
    trained = TRAIN.run(Brightness(), Runtime(), images, 7)
    assert trained.arrays["mean"].tolist() == [100] and trained.arrays["seed"].tolist() == [7]
    found = DESCRIBE.start(Brightness(), Runtime(), trained)(images)
    assert [descriptor.vector.tolist() for descriptor in found] == [[0, 1], [1, 0], [0, 1]]
