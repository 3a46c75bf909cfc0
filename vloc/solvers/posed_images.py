"""Images whose cameras and poses are known: what a map is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Int, Int32
from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid


@dataclass(frozen=True, eq=False)
class PosedImages:
    """Names, cameras and poses, one row an image; `cameras[camera_of_image[i]]` is the camera of image i."""

    names: Sequence[str]
    cameras: Sequence[Camera]
    camera_of_image: Int32[np.ndarray, "i"]
    cam_from_world: Rigid

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: Int[np.ndarray, "r"]) -> PosedImages:
        """Some of the images, with the cameras that they have."""
        taken_by, cameras = np.unique(self.camera_of_image[rows], return_inverse=True)
        owned = tuple(self.cameras[row] for row in taken_by.tolist())
        names = [self.names[row] for row in rows.tolist()]
        return PosedImages(names, owned, cameras.astype(np.int32), self.cam_from_world[rows])

    def camera(self, image: int) -> Camera:
        """The camera of an image."""
        return self.cameras[self.camera_of_image[image]]


def without_points(images: PosedImages, counts: Sequence[int]) -> SparseMap:
    """The images alone, with so many keypoints each."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))]).astype(np.int64)
    return SparseMap(
        images.names,
        images.cameras,
        np.asarray(images.camera_of_image, np.int32),
        images.cam_from_world,
        points=np.zeros((0, 3)),
        point_errors=np.zeros(0, np.float32),
        offsets=offsets,
        point_of_keypoint=np.full(offsets[-1], NO_POINT, np.int32),
    )
