"""The tracks of a map's images, cut into blocks that are triangulated by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Int32, Int64
from .features import Arrays


@dataclass(frozen=True, eq=False)
class TrackBlocks:
    """Keypoints that matches connect, one block after the other: block i has rows starts[i]:starts[i + 1].

    `counts`: keypoints of every image of the map, matched or not. `images`: rows of the map's images, rising within a
    block; `keypoints`: rows within these. `tracks`: count from 0 in each block. `partners`: of each keypoint one that
    it matches, counted from the first of the block.
    """

    names: Sequence[str]
    starts: Int64[np.ndarray, "b_plus_1"]
    counts: Int64[np.ndarray, "i"]
    images: Int32[np.ndarray, "o"]
    keypoints: Int32[np.ndarray, "o"]
    tracks: Int32[np.ndarray, "o"]
    partners: Int32[np.ndarray, "o"]

    def rows_of(self, block: int) -> slice:
        """The rows of a block."""
        return slice(int(self.starts[block]), int(self.starts[block + 1]))

    def to_arrays(self) -> Arrays:
        """The stored form; names go as UTF-8 text."""
        names = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        columns = {"images": self.images, "keypoints": self.keypoints, "tracks": self.tracks, "partners": self.partners}
        return {"names": names, "starts": self.starts, "counts": self.counts, **columns}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> TrackBlocks:
        """The inverse of `to_arrays`."""
        columns = dict(arrays)
        names = columns.pop("names").tobytes().decode()
        return cls(names.split("\n") if names else [], **columns)
