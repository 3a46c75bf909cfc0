"""Images whose cameras and poses are known: what a map is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Int32
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

    def camera(self, image: int) -> Camera:
        """The camera of an image."""
        return self.cameras[self.camera_of_image[image]]
