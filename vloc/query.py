"""One image as it is given to a `Localizer`: its pixels, what took it, and what is found of it before its pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .data.capture import GIVEN, Sensor
from .data.estimate import PoseEstimate
from .data.features import LocalFeatures
from .data.quality import ImageQuality
from .data.selection import Correspondences
from .errors import DataError
from .features.root_sift import no_features
from .formats.image_folder import rough_sensor
from .formats.image_header import ImageHeader, upright_turns
from .formats.images import decode
from .geometry.camera import Camera
from .geometry.rigid import Rigid
from .known_cameras import PREFIX, camera_of, of_image
from .map import Map
from .regular_file import read_regular
from .stages.images import LookConfig, Photo
from .stages.rigs import Seen

Image = str | Path | np.ndarray
"""a file, or uint8 pixels (h, w) grey or (h, w, 3) RGB, which are taken as upright"""
Shown = Callable[[bool], Photo]
"""an image as features look at it, in colour or not"""


@dataclass(frozen=True, eq=False)
class Query:
    """An image before its pose: what took it, how good it is, and what it shares with map images (rows).

    `similarities`: by which map images were listed, by row. `refusal`: the estimate of a photo that is not worth it.
    """

    name: str
    sensor: Sensor
    quality: Callable[[], ImageQuality]
    shown: Shown
    features: LocalFeatures = field(default_factory=no_features)
    rows: Sequence[int] = ()
    similarities: Mapping[int, float] = field(default_factory=dict)
    matches: Correspondences = field(default_factory=Correspondences.none)
    refusal: PoseEstimate | None = None

    def mounted(self, cam_from_rig: Rigid) -> Seen:
        """As one camera of a rig."""
        assert self.sensor.camera is not None  # noqa: S101 - of an image
        return Seen(self.sensor.camera, cam_from_rig, self.features, self.matches, self.quality().overall)


def sensor_of(map_: Map, image: Image, camera: Camera | str | None) -> Sensor:
    """What took an image; DataError for a camera that is none."""
    if isinstance(camera, Camera):
        return Sensor("camera", camera=camera, focal_source=GIVEN)
    if camera is not None and not (isinstance(camera, str) and camera.startswith(PREFIX)):
        raise DataError(f"camera: expected a vloc.Camera with the intrinsics of the image, or map:NAME, got {camera!r}")
    if not isinstance(image, str | Path):
        height, width = pixels_of(image, False).shape
        sensor = rough_sensor(ImageHeader(width, height))
    else:
        sensor = camera_of(image, map_)
    return sensor if camera is None else of_image(map_, sensor, camera.removeprefix(PREFIX))


def turns_of(look: LookConfig, image: Image) -> int:
    """Quarter turns clockwise that make it upright, where the map's own photos are."""
    if isinstance(image, np.ndarray) or look.upright == "none":
        return 0
    return upright_turns(read_regular(Path(image)), str(image))


def pixels_of(image: Image, in_color: bool) -> np.ndarray:
    """An image, grey or RGB as asked."""
    import cv2

    if isinstance(image, str | Path):
        try:
            return decode(read_regular(Path(image)), str(image), color=in_color)
        except OSError as error:
            raise DataError(f"{image}: {error.strerror}") from None
    if not isinstance(image, np.ndarray):
        raise DataError(f"image: expected a file or an array of pixels, got {type(image).__name__}")
    if (
        image.size == 0
        or image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or (image.ndim == 3 and image.shape[2] != 3)
    ):
        raise DataError(f"image array: expected uint8 (h, w) or (h, w, 3), got {image.dtype} {image.shape}")
    if in_color == (image.ndim == 3):
        return image
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if in_color else cv2.COLOR_RGB2GRAY)
