"""SuperPoint: keypoints and descriptors of one network, with the original weights or the freely licensed ones."""

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

FILES = {"open": "superpoint_v6_from_tf.pth", "original": "superpoint_v1.pth"}
DIMS = 256


@FEATURES.register("superpoint")
@dataclass(frozen=True)
class SuperPoint:
    """Corners that a network finds under many homographies of an image (DeTone et al., CVPR Workshops 2018)."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False
    matcher: ClassVar[str] = "bands:ratio=1,max_distance=0.7"  # mutual neighbours within 0.7, as its authors match

    network: Literal["open", "original"] = "open"
    """weights retrained under the MIT licence, or the original ones (no commercial use), which LightGlue wants"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 4096
    """keypoints kept at most, those of highest score"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.005
    """keypoints have a higher score"""
    radius: Annotated[int, msgspec.Meta(ge=1)] = 4
    """px; only the highest score within it stays, and nothing nearer to the border"""
    max_size: Annotated[int, msgspec.Meta(ge=8)] = 1024
    """px; larger images are reduced to this longer side"""
    subpixel: bool = False
    """whether keypoints are placed where the score around a pixel is highest, and not on the pixel"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILES[self.network]

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of grey images."""
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise ExtraMissingError("superpoint", "learned", error) from None
        from ..networks.loading import load_into, ready
        from ..networks.superpoint import OpenSuperPoint
        from ..networks.superpoint import SuperPoint as Original

        module = OpenSuperPoint() if self.network == "open" else Original()
        network = ready(load_into(module, find(self.weights)), runtime)
        return at_reduced_size(lambda image: self._extract(network, image), self.max_size)

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w"]) -> LocalFeatures:
        import torch

        from ..networks.superpoint import CELL, described, score_map

        if min(image.shape) < CELL:
            return nothing(DIMS)
        with torch.inference_mode():
            cells = network(as_tensor(image, network))
            places, scores = self._keypoints(score_map(cells.logits))
            rows = strongest(scores, self.max_keypoints)
            return features_of(places[rows], described(network, cells.descriptors, places[rows]), scores[rows])

    def _keypoints(self, scores: Any) -> tuple[Any, Any]:
        """Places (n, 2), px from the first pixel's centre, and scores of the maxima of a map (h, w)."""
        from ..networks.soft_peaks import local_maxima
        from ..networks.subpixel import places_of

        y, x = (local_maxima(scores, self.radius) & (scores > self.threshold)).nonzero(as_tuple=True)
        return places_of(scores, y, x, between=self.subpixel), scores[y, x]
