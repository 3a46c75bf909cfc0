"""Places of two photos that show the same thing, before anything is a keypoint; and what a query sees of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float32, Int32
from .features import Arrays, LocalFeatures
from .selection import Correspondences


@dataclass(frozen=True, eq=False)
class PhotoMatches:
    """Matches between two photos by their places.

    `first`, `second`: px in the stored images, first pixel centred at (0.5, 0.5). `scores`: from 0 to 1.
    """

    first: Float32[np.ndarray, "m 2"]
    second: Float32[np.ndarray, "m 2"]
    scores: Float32[np.ndarray, "m"]

    @classmethod
    def none(cls) -> PhotoMatches:
        """No matches."""
        return cls(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.scores)

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"first": self.first, "second": self.second, "scores": self.scores}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PhotoMatches:
        """The inverse of `to_arrays`."""
        return cls(**arrays)


SCALE = 1.6
"""px; photo matchers tell no scale of a place, so it is taken for that of SIFT's first octave"""


def features_at(keypoints: Float32[np.ndarray, "n 2"], scores: Float32[np.ndarray, "n"]) -> LocalFeatures:
    """Keypoints that nothing describes: descriptors of no numbers."""
    bare = np.zeros((len(keypoints), 0), np.float16)
    return LocalFeatures(keypoints, bare, scores, np.full(len(keypoints), SCALE, np.float32))


@dataclass(frozen=True, eq=False)
class Sightings:
    """Places of a query that show points of the map, one a point, by rising point.

    `places`: px in the stored image. `points`: rows of the map's points. `scores`: summed over the map images that say
    so. `images`: the row of the map image whose match is the best of them.
    """

    places: Float32[np.ndarray, "m 2"]
    points: Int32[np.ndarray, "m"]
    scores: Float32[np.ndarray, "m"]
    images: Int32[np.ndarray, "m"]

    @classmethod
    def none(cls) -> Sightings:
        """Nothing is seen."""
        rows = np.zeros(0, np.int32)
        return cls(np.zeros((0, 2), np.float32), rows, np.zeros(0, np.float32), rows)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def features(self) -> LocalFeatures:
        """The places as keypoints of the query."""
        return features_at(self.places, self.scores)

    @property
    def matches(self) -> Correspondences:
        """Each of these keypoints with its point."""
        return Correspondences(np.arange(len(self), dtype=np.int32), self.points, self.scores, self.images)

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"places": self.places, "points": self.points, "scores": self.scores, "images": self.images}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Sightings:
        """The inverse of `to_arrays`."""
        return cls(**arrays)
