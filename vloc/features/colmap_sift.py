"""SIFT by COLMAP (VLFeat), with COLMAP's own defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures
from ..geometry.quarter_turns import wrapped
from ..runtime import Runtime
from ..solvers.colmap import pycolmap
from .base import FEATURES, Extractor
from .reduced_size import at_reduced_size
from .root_sift import strongest


@FEATURES.register("colmap_sift")
@dataclass(frozen=True)
class ColmapSift:
    """COLMAP's SIFT keypoints with RootSIFT descriptors in bytes. Scores are scales (px): it gives no contrasts.

    It is about three times slower than `sift`, and Python cannot run it in parallel threads.
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False
    matcher: ClassVar[str] = "bands"  # mutual neighbours, ratio 0.8, as COLMAP's

    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 8192
    """keypoints kept at most, those of largest scale"""
    peak_threshold: Annotated[float, msgspec.Meta(ge=0)] = 0.02 / 3
    """least contrast of a keypoint, for intensities from 0 to 1"""
    edge_threshold: Annotated[float, msgspec.Meta(gt=1)] = 10.0
    """largest ratio of the two curvatures at a keypoint; along an edge it is large"""
    first_octave: Annotated[int, msgspec.Meta(ge=-1, le=3)] = -1
    """-1 looks at the image at twice its size, 0 as it is, 1 at half"""
    max_size: Annotated[int, msgspec.Meta(ge=16)] = 3200
    """longer side (px) above which images are reduced"""

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of grey images."""
        library = pycolmap()
        extractor = library.FeatureExtractor.create(self._options(), library.Device.cpu)

        def extract(image: UInt8[np.ndarray, "h w"]) -> LocalFeatures:
            found, descriptors = extractor.extract_from_uint8_array(np.ascontiguousarray(image))
            rows = library.keypoints_to_matrix(found)  # x, y (first pixel centred at 0.5, as ours), scale, angle
            # COLMAP completes the octave in which it reaches the limit, hence more than asked.
            places, scales, angles = rows[:, :2], rows[:, 2], rows[:, 3]
            features = LocalFeatures(places, descriptors.data, scales, scales, angles=wrapped(angles))
            return features[strongest(places, scales, self.max_keypoints)]

        return at_reduced_size(extract, self.max_size)

    def _options(self) -> Any:
        options = pycolmap().FeatureExtractionOptions(num_threads=1, use_gpu=False)
        options.sift.max_num_features = self.max_keypoints
        options.sift.peak_threshold = self.peak_threshold
        options.sift.edge_threshold = self.edge_threshold
        options.sift.first_octave = self.first_octave
        return options
