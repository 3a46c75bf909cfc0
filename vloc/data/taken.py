"""When and by what images were taken, and where: what a query may be told apart from map images by, without a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..array_types import Float64, Int32, Int64
from .capture import Capture
from .features import Arrays


@dataclass(frozen=True, eq=False)
class Taken:
    """A row an image. `devices` count `device_ids`; `centers`: of the cameras in the world, NaN where not known."""

    names: tuple[str, ...]
    timestamps: Int64[np.ndarray, "i"]
    devices: Int32[np.ndarray, "i"]
    device_ids: tuple[str, ...]
    centers: Float64[np.ndarray, "i 3"]

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def of(self, names: Sequence[str], centers: Float64[np.ndarray, "n 3"] | None = None) -> Taken:
        """Those images alone, in their order; with other centres where these are given."""
        rows = np.array([self._row_of[name] for name in names], np.int64)
        centers = self.centers[rows] if centers is None else centers
        return replace(
            self, names=tuple(names), timestamps=self.timestamps[rows], devices=self.devices[rows], centers=centers
        )

    def to_arrays(self) -> Arrays:
        """The stored form; texts go as UTF-8."""
        texts = {"names": self.names, "device_ids": self.device_ids}
        encoded = {key: np.frombuffer("\n".join(text).encode(), np.uint8) for key, text in texts.items()}
        return {**encoded, "timestamps": self.timestamps, "devices": self.devices, "centers": self.centers}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Taken:
        """The inverse of `to_arrays`."""
        rest = dict(arrays)
        names, ids = (tuple(rest.pop(key).tobytes().decode().split("\n")) for key in ("names", "device_ids"))
        return cls(names if len(rest["timestamps"]) else (), device_ids=ids, **rest)


def taken_in(capture: Capture, names: Sequence[str]) -> Taken:
    """What a capture says of some of its images."""
    images, centers = capture.images, np.where(capture.has_pose[:, None], capture.cam_from_world.center, np.nan)
    every = Taken(tuple(images.names), images.timestamps, images.devices, images.device_ids, centers)
    return every.of(names)
