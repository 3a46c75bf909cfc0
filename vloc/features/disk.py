"""DISK: dense descriptors and keypoints of one U-Net that was trained by what matches, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures
from ..errors import ExtraMissingError
from ..runtime import Runtime
from ..weights import find
from .base import FEATURES, Extractor
from .reduced_size import at_reduced_size
from .strongest import as_tensor, features_of, nothing, strongest

DIMS = 128
STRIDE = 16
"""px; the network takes sides that are multiples of it"""
WINDOW = 5
"""px; a keypoint has the highest score of so many rows and columns"""


@FEATURES.register("disk")
@dataclass(frozen=True)
class Disk:
    """Keypoints and descriptors learned by policy gradient (Tyszkiewicz et al., DISK, NeurIPS 2020)."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True
    matcher: ClassVar[str] = "bands:ratio=1"  # mutual neighbours, no ratio, as its authors match

    network: Literal["depth", "epipolar"] = "depth"
    """weights trained with depth maps, or with epipolar geometry alone"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 4096
    """keypoints kept at most, those of highest score"""
    threshold: float = 0.0
    """keypoints have a higher score"""
    max_size: Annotated[int, msgspec.Meta(ge=32)] = 1024
    """px; larger images are reduced to this longer side"""
    subpixel: bool = False
    """whether keypoints are placed where the score around a pixel is highest, and not on the pixel"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return f"{self.network}-save.pth"

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of RGB images."""
        try:
            from kornia.feature import DISK
        except ImportError as error:
            raise ExtraMissingError("disk", "learned", error) from None
        from ..networks.loading import checkpoint_of, device_of, filled, state_in

        path = find(self.weights)
        state = state_in(checkpoint_of(path), path, under="extractor")
        network = filled(DISK(), state, path).to(device_of(runtime))
        return at_reduced_size(lambda image: self._extract(network, image), self.max_size)

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w 3"]) -> LocalFeatures:
        import torch
        from torch.nn.functional import normalize, pad

        height, width, _ = image.shape
        if min(height, width) < WINDOW or max(height, width) <= STRIDE:  # a single cell has no deviation to divide by
            return nothing(DIMS)
        with torch.inference_mode():
            padded = pad(as_tensor(image, network), (0, -width % STRIDE, 0, -height % STRIDE))
            scores, dense = network.heatmap_and_dense_descriptors(padded)
            y, x, places, found = self._keypoints(scores[0, 0, :height, :width])
            rows = strongest(found, self.max_keypoints)
            descriptors = normalize(dense[0, :, y[rows], x[rows]].T, dim=1)
            return features_of(places[rows], descriptors, found[rows])

    def _keypoints(self, scores: Any) -> tuple[Any, Any, Any, Any]:
        """Rows, columns, places (n, 2) in px from the first pixel's centre, and scores of the maxima of a map."""
        from kornia.geometry.subpix import nms2d

        from ..networks.subpixel import places_of

        is_peak = nms2d(scores[None, None], (WINDOW, WINDOW), mask_only=True)[0, 0]
        y, x = (is_peak & (scores > self.threshold)).nonzero(as_tuple=True)
        return y, x, places_of(scores, y, x, between=self.subpixel), scores[y, x]
