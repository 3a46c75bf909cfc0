"""Global descriptors that another program computed: read, not computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..array_types import Float32, Shaped
from ..data.features import Arrays, GlobalDescriptor
from ..data.imported import Imported
from ..errors import DataError
from ..runtime import Runtime
from .base import DESCRIPTORS


@DESCRIPTORS.register("imported")
@dataclass(frozen=True)
class ImportedDescriptor(Imported):
    """Global features that came with the capture, or lie in a folder or file beside it; no photo is read."""

    plugin_name: ClassVar[str]

    def train(self, runtime: Runtime, images: Iterable[Any], seed: int) -> Arrays:
        """Nothing is learned from the map."""
        return {}

    def load(self, runtime: Runtime, trained: Arrays) -> Callable[[np.ndarray], GlobalDescriptor]:
        """What makes a descriptor of the row of an image."""
        return lambda row: GlobalDescriptor(unit(row))


def unit(row: Shaped[np.ndarray, "1 d"]) -> Float32[np.ndarray, "d"]:
    """The row, of any type, as a vector of length 1; zeros stay zeros. DataError for numbers that are not finite."""
    vector = row[0].astype(np.float64)
    if not np.isfinite(vector).all():
        raise DataError("an imported global descriptor with numbers that are not finite")
    length = np.linalg.norm(vector)
    return (vector / length if length else vector).astype(np.float32)
