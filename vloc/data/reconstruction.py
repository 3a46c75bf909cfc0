"""What was computed from a capture: points, the keypoints that show them, features and matches by type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..array_types import Float64, Int32, UInt8
from .pairs import Pair, Pairs


@dataclass(frozen=True, eq=False)
class Points:
    """Points in world coordinates; a point's row is its id. `errors`: mean reprojection error, px, where known."""

    xyz: Float64[np.ndarray, "p 3"]
    rgb: UInt8[np.ndarray, "p 3"] | None = None
    errors: Float64[np.ndarray, "p"] | None = None

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True, eq=False)
class Observations:
    """Which keypoint of which image shows which point: three columns of rows, sorted by point.

    `points`: rows of `Points`. `images`: rows of the capture's images. `keypoints`: rows of the image's keypoints.
    """

    points: Int32[np.ndarray, "o"]
    images: Int32[np.ndarray, "o"]
    keypoints: Int32[np.ndarray, "o"]

    def __len__(self) -> int:
        return len(self.points)


@runtime_checkable
class ArraySource(Protocol):
    """Where the arrays of features come from (files of a folder, members of a tar, memory)."""

    def load(self, key: str | tuple[str, str]) -> np.ndarray:
        """The array of an image or of a pair, checked; DataError names the file that is broken."""
        ...


@runtime_checkable
class StampedSource(ArraySource, Protocol):
    """Arrays in files, of which a change is noticed without reading them."""

    def stamp(self, key: str | tuple[str, str]) -> str:
        """A cheap text that changes when the array may have (size and time of its file, and what is done to it)."""
        ...


@dataclass(frozen=True, eq=False)
class Features:
    """Keypoints, local descriptors or global descriptors of one type: an array for each of `images`, read on demand.

    Keypoints have x and y in their first two columns, px in the stored image, first pixel centred at (0.5, 0.5).
    `keypoints_type`: which keypoints local descriptors belong to. `extractor`, `metric`: free text of the source.
    """

    extractor: str
    dtype: np.dtype
    width: int
    images: Sequence[str]
    source: ArraySource
    keypoints_type: str = ""
    metric: str = ""

    def load(self, image: str) -> np.ndarray:
        """The (n, width) array of an image."""
        return self.source.load(image)


@dataclass(frozen=True, eq=False)
class MatchedPairs:
    """Matches of one keypoints type: for each of `pairs`, rows (index in first, index in second, score), on demand.

    Whatever sequence of pairs is given, it is kept as `Pairs`.
    """

    pairs: Sequence[Pair]
    source: ArraySource

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", Pairs.of(self.pairs))

    def load(self, pair: Pair) -> Float64[np.ndarray, "m 3"]:
        """The matches of a pair, columns in the order of its names."""
        return self.source.load(pair)


@dataclass(frozen=True, eq=False)
class InMemory:
    """Arrays that are already there."""

    arrays: Mapping[Any, np.ndarray]

    def load(self, key: str | tuple[str, str]) -> np.ndarray:
        """The array itself."""
        return self.arrays[key]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Everything computed, each mapping by feature type; observations and matches by keypoints type."""

    points: Points | None = None
    observations: Mapping[str, Observations] = field(default_factory=dict)
    keypoints: Mapping[str, Features] = field(default_factory=dict)
    descriptors: Mapping[str, Features] = field(default_factory=dict)
    global_features: Mapping[str, Features] = field(default_factory=dict)
    matches: Mapping[str, MatchedPairs] = field(default_factory=dict)

    def __repr__(self) -> str:
        points = 0 if self.points is None else len(self.points)
        return f"Reconstruction({points} points, {sum(map(len, self.observations.values()))} observations)"
