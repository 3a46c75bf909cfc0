"""A sparse map that is read in place: what is otherwise found by going through all of it comes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsIndex, overload

import numpy as np

from ..array_types import Int32, Int64
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .features import Arrays
from .lines import Lines, RowOf, order_of
from .sparse_map import NO_POINT, SparseMap, camera_line, parse_camera_line


class Cameras(Sequence[Camera]):
    """Cameras in their written form, each read when it is looked at."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, row: SupportsIndex) -> Camera: ...
    @overload
    def __getitem__(self, row: slice) -> list[Camera]: ...
    def __getitem__(self, row: SupportsIndex | slice) -> Camera | list[Camera]:
        """One camera, or several."""
        if isinstance(row, slice):
            return [parse_camera_line(line) for line in self._lines[row]]
        return parse_camera_line(self._lines[row])


@dataclass(frozen=True, eq=False, kw_only=True)
class IndexedMap(SparseMap):
    """A sparse map all of whose keypoints show a point; names and cameras are decoded when they are looked at.

    `name_order`: the images (rows) in the order of their names. `images_of_points`: the images of all observations,
    point by point and rising; those of point p are `images_of_points[point_starts[p]:point_starts[p + 1]]`.
    """

    name_order: Int32[np.ndarray, "i"]
    images_of_points: Int32[np.ndarray, "o"]
    point_starts: Int64[np.ndarray, "p_plus_1"]

    @property
    def num_observations(self) -> int:
        """How many keypoints show a point."""
        return len(self.point_of_keypoint)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Image name -> row."""
        return RowOf(self.image_names, self.name_order)

    @cached_property
    def images_by_point(self) -> tuple[Int32[np.ndarray, "o"], Int64[np.ndarray, "p_plus_1"]]:
        """The images of all observations, and where each point's begin."""
        return self.images_of_points, self.point_starts

    @cached_property
    def track_lengths(self) -> Int64[np.ndarray, "p"]:
        """For every point, the number of images' keypoints that show it."""
        return np.diff(self.point_starts)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> IndexedMap:
        """The map that `indexed_arrays` gave."""
        rest = dict(arrays)
        names, cameras = (Lines(rest.pop(name), rest.pop(f"{name}_starts")) for name in ("image_names", "cameras"))
        poses = Rigid(rest.pop("rotation"), rest.pop("translation"))
        return cls(image_names=names, cameras=Cameras(cameras), cam_from_world=poses, **rest)


def indexed_arrays(sparse: SparseMap) -> Arrays:
    """The stored form of a sparse map without the keypoints that show no point, for `IndexedMap.from_arrays`."""
    shows, (images, starts) = sparse.point_of_keypoint != NO_POINT, sparse.images_by_point
    ends = np.concatenate([[0], np.cumsum(shows, dtype=np.int64)])
    names, cameras = Lines.of(sparse.image_names), Lines.of([camera_line(camera) for camera in sparse.cameras])
    return sparse.to_arrays() | {
        "image_names": names.text,
        "image_names_starts": names.starts,
        "name_order": order_of(sparse.image_names),
        "cameras": cameras.text,
        "cameras_starts": cameras.starts,
        "point_of_keypoint": sparse.point_of_keypoint[shows],
        "offsets": ends[sparse.offsets],
        "images_of_points": images,
        "point_starts": starts,
    }
