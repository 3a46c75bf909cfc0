"""SIFT by OpenCV, the fastest on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np

from ..array_types import Bool, UInt8
from ..data.features import LocalFeatures
from ..geometry.quarter_turns import wrapped
from ..runtime import Runtime
from .base import FEATURES, Extractor
from .reduced_size import at_reduced_size
from .root_sift import DIMS, no_features, root_sift, strongest

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
        return self._at_working_size(self._extract)

    def load_sparing(self, runtime: Runtime, num_described: int) -> Extractor:
        """The same; described are the strongest found at the image's own size or less, then others."""
        return self._at_working_size(partial(self._extract_sparing, num_described=num_described))

    def _at_working_size(self, extract: Extractor) -> Extractor:
        return lambda image: at_reduced_size(extract, self._working_size(*image.shape))(image)

    def _working_size(self, height: int, width: int) -> int:
        """The longer side at which an image is searched, px."""
        scale = min(1.0, (self.max_keypoints * self.pixels_per_keypoint / (height * width)) ** 0.5)
        return min(self.max_size, max(LEAST_SIZE, round(max(height, width) * scale)))

    def _detector(self) -> Any:
        import cv2

        return cv2.SIFT.create(
            nfeatures=self.max_keypoints,
            nOctaveLayers=3,
            contrastThreshold=self.contrast_threshold,
            edgeThreshold=self.edge_threshold,
            sigma=1.6,
            descriptorType=cv2.CV_8U,
            enable_precise_upscale=True,  # without it, keypoints are off by a quarter of a pixel
        )

    def _extract(self, image: UInt8[np.ndarray, "h w"]) -> LocalFeatures:
        found, histograms = self._detector().detectAndCompute(image, None)
        if not found:
            return no_features()
        features = _features(found, root_sift(histograms))
        return features[strongest(features.keypoints, features.scores, self.max_keypoints)]

    def _extract_sparing(self, image: UInt8[np.ndarray, "h w"], num_described: int) -> LocalFeatures:
        detector = self._detector()
        found = detector.detect(image)
        if not found:
            return no_features()
        features = _features(found, np.zeros((len(found), DIMS), np.uint8))
        rows = strongest(features.keypoints, features.scores, self.max_keypoints)
        rows = rows[np.argsort(_is_fine(found)[rows], kind="stable")]
        _, histograms = detector.compute(image, [found[row] for row in rows[:num_described]])
        features.descriptors[rows[:num_described]] = root_sift(histograms)
        return features[rows]


def _features(found: Sequence[Any], descriptors: UInt8[np.ndarray, "n 128"]) -> LocalFeatures:
    """OpenCV's keypoints as ours, in their order."""
    import cv2

    # OpenCV's first pixel is centred at (0, 0), and it keeps every keypoint that ties with the weakest.
    keypoints = np.asarray(cv2.KeyPoint.convert(found)) + np.float32(0.5)
    scores = np.fromiter((point.response for point in found), np.float32, len(found))
    scales = np.fromiter((point.size / 2 for point in found), np.float32, len(found))
    angles = np.radians(np.fromiter((point.angle for point in found), np.float32, len(found)))
    return LocalFeatures(keypoints, descriptors, scores, scales, angles=wrapped(angles))


def _is_fine(found: Sequence[Any]) -> Bool[np.ndarray, "n"]:
    """Which keypoints OpenCV found in the image at twice its size, which it makes anew to describe such."""
    return np.fromiter((point.octave & 0x80 for point in found), bool, len(found))  # octave -1, in its lowest byte
