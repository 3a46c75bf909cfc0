"""SIFT by OpenCV, the fastest on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures
from ..runtime import Runtime
from .base import FEATURES, Extractor
from .reduced_size import at_reduced_size
from .root_sift import no_features, root_sift, strongest_first

LEAST_SIZE = 640
"""longer side (px) below which no image is reduced, however few keypoints are wanted"""


@FEATURES.register("sift")
@dataclass(frozen=True)
class Sift:
    """Scale-invariant keypoints (Lowe, IJCV 2004) with RootSIFT descriptors in bytes. Scores are contrasts."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False
    matcher: ClassVar[str] = "bands"  # mutual neighbours, ratio 0.8 (Lowe)

    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 8192
    """keypoints kept at most, those of highest contrast"""
    contrast_threshold: Annotated[float, msgspec.Meta(ge=0)] = 0.02
    """least contrast of a keypoint, in OpenCV's units (whose own default is 0.04)"""
    edge_threshold: Annotated[float, msgspec.Meta(gt=1)] = 10.0
    """largest ratio of the two curvatures at a keypoint; along an edge it is large"""
    max_size: Annotated[int, msgspec.Meta(ge=16)] = 1600
    """larger images are reduced to this longer side (px); the search begins at twice that size"""
    pixels_per_keypoint: Annotated[int, msgspec.Meta(ge=16)] = 600
    """images are reduced to so many pixels for each of `max_keypoints`: what finer scales add would not be kept"""

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of grey images."""
        return lambda image: at_reduced_size(self._extract, self._working_size(*image.shape))(image)

    def _working_size(self, height: int, width: int) -> int:
        """The longer side at which an image is searched, px."""
        scale = min(1.0, (self.max_keypoints * self.pixels_per_keypoint / (height * width)) ** 0.5)
        return min(self.max_size, max(LEAST_SIZE, round(max(height, width) * scale)))

    def _extract(self, image: UInt8[np.ndarray, "h w"]) -> LocalFeatures:
        import cv2

        detector = cv2.SIFT.create(
            nfeatures=self.max_keypoints,
            nOctaveLayers=3,
            contrastThreshold=self.contrast_threshold,
            edgeThreshold=self.edge_threshold,
            sigma=1.6,
            descriptorType=cv2.CV_8U,
            enable_precise_upscale=True,  # without it, keypoints are off by a quarter of a pixel
        )
        found, descriptors = detector.detectAndCompute(image, None)
        if not found:
            return no_features()
        # OpenCV's first pixel is centred at (0, 0).
        keypoints = np.asarray(cv2.KeyPoint.convert(found)) + np.float32(0.5)
        scores = np.fromiter((point.response for point in found), np.float32, len(found))
        scales = np.fromiter((point.size / 2 for point in found), np.float32, len(found))
        angles = np.radians(np.fromiter((point.angle for point in found), np.float32, len(found)))
        # OpenCV keeps every keypoint that ties with the weakest, hence a few more than asked.
        return strongest_first(keypoints, root_sift(descriptors), scores, scales, angles, self.max_keypoints)
