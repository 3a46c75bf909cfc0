"""Local features of one image, and matches between two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..array_types import Float32, Shaped, UInt8, UInt32

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """Keypoints of one image with their descriptors, strongest first.

    `keypoints`: px in the stored (distorted) image, first pixel centred at (0.5, 0.5).
    `descriptors`: uint8 or float16 rows whose direction carries the meaning (cosine similarity).
    `scales`: px in the stored image, the standard deviation of the Gaussian under which the keypoint was found (half of
    OpenCV's keypoint size, COLMAP's scale as it is): the noise of its position grows with it.
    `quarter_turns`: clockwise, by which the stored image was turned upright for the descriptors.
    `angles`: the keypoints' orientations in the stored image, radians in (-pi, pi], from x towards y, as COLMAP's; None
    of features that tell none.
    """

    keypoints: Float32[np.ndarray, "n 2"]
    descriptors: Shaped[np.ndarray, "n d"]
    scores: Float32[np.ndarray, "n"]
    scales: Float32[np.ndarray, "n"]
    quarter_turns: int = 0
    angles: Float32[np.ndarray, "n"] | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, rows: np.ndarray | slice) -> LocalFeatures:
        """The features of some rows, in their order."""
        chosen = self.keypoints[rows], self.descriptors[rows], self.scores[rows], self.scales[rows]
        return LocalFeatures(*chosen, self.quarter_turns, None if self.angles is None else self.angles[rows])

    @cached_property
    def lengths(self) -> Float32[np.ndarray, "n"]:
        """Lengths of the descriptors, 1 of those that are zero."""
        rows = self.descriptors.astype(np.float32)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        return np.where(lengths > 0, lengths, np.float32(1))

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {
            "keypoints": self.keypoints,
            "descriptors": self.descriptors,
            "scores": self.scores,
            "scales": self.scales,
            "quarter_turns": np.array([self.quarter_turns], np.uint8),
            **({} if self.angles is None else {"angles": self.angles}),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> LocalFeatures:
        """The inverse of `to_arrays`."""
        rows = {name: array for name, array in arrays.items() if name != "quarter_turns"}
        turns = arrays["quarter_turns"][0] if "quarter_turns" in arrays else 0  # photos were not turned at first
        return cls(**rows, quarter_turns=int(turns))


@dataclass(frozen=True, eq=False)
class GlobalDescriptor:
    """What one image looks like as a whole: a unit vector (or zeros where the image shows nothing).

    `is_sparse`: most of its numbers are zeros, and are not stored.
    """

    vector: Float32[np.ndarray, "d"]
    is_sparse: bool = False

    def to_arrays(self) -> Arrays:
        """The stored form."""
        if not self.is_sparse:
            return {"vector": self.vector[None]}
        columns, dims = np.flatnonzero(self.vector), np.array([len(self.vector)], np.uint32)
        return {"columns": columns.astype(np.uint32), "values": self.vector[columns], "dims": dims}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> GlobalDescriptor:
        """The inverse of `to_arrays`."""
        if "vector" in arrays:
            return cls(arrays["vector"][0])
        vector = np.zeros(int(arrays["dims"][0]), np.float32)
        vector[arrays["columns"]] = arrays["values"]
        return cls(vector, True)


@dataclass(frozen=True, eq=False)
class KeypointColors:
    """The colour of one image at each of its keypoints, RGB."""

    rgb: UInt8[np.ndarray, "n 3"]

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"rgb": self.rgb}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> KeypointColors:
        """The inverse of `to_arrays`."""
        return cls(arrays["rgb"])


@dataclass(frozen=True, eq=False)
class Matches:
    """Keypoint rows of two images that show the same thing, with cosine similarities."""

    indices: UInt32[np.ndarray, "m 2"]
    scores: Float32[np.ndarray, "m"]

    @classmethod
    def none(cls) -> Matches:
        """No matches."""
        return cls(np.zeros((0, 2), np.uint32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.indices)

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"indices": self.indices, "scores": self.scores}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Matches:
        """The inverse of `to_arrays`."""
        return cls(**arrays)
