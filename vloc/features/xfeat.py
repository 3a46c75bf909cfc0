"""XFeat: a small and fast network, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

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

DIMS = 64
STRIDE = 32
"""px; images are resized to multiples of it"""
WINDOW = 5
"""px; a keypoint has the highest score of so many rows and columns"""


@FEATURES.register("xfeat")
@dataclass(frozen=True)
class XFeat:
    """Keypoints and descriptors of a network made for speed (Potje et al., XFeat, CVPR 2024)."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True
    matcher: ClassVar[str] = "bands:ratio=1"  # mutual neighbours, no ratio, as its authors match

    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 4096
    """keypoints kept at most, those of highest score times reliability"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    """keypoints have a higher score"""
    max_size: Annotated[int, msgspec.Meta(ge=32)] = 1200
    """px; larger images are reduced to this longer side"""
    subpixel: bool = False
    """whether keypoints are placed where the score around a pixel is highest, and not on the pixel"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return "xfeat.pt"

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of RGB images."""
        try:
            from kornia.feature import XFeat as Network
        except ImportError as error:
            raise ExtraMissingError("xfeat", "learned", error) from None
        from ..networks.loading import device_of, load_into

        network = load_into(Network().net, find(self.weights)).to(device_of(runtime))
        return at_reduced_size(lambda image: self._extract(network, image), self.max_size)

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w 3"]) -> LocalFeatures:
        import torch
        from torch.nn.functional import interpolate, normalize

        height, width, _ = image.shape
        if min(height, width) < STRIDE:
            return nothing(DIMS)
        with torch.inference_mode():
            size = height // STRIDE * STRIDE, width // STRIDE * STRIDE
            resized = interpolate(as_tensor(image, network), size, mode="bilinear", align_corners=False)
            dense, logits, reliability = network(resized)
            pixels, places, scores = self._keypoints(logits, reliability)
            rows = strongest(scores, self.max_keypoints)
            descriptors = normalize(_read(normalize(dense, dim=1), pixels[rows], size, "bicubic"), dim=1)
            # A pixel of the resized image is `scale` of the image's; their corners coincide, and not their centres.
            scale = places.new_tensor([width / size[1], height / size[0]])
            return features_of((places[rows] + 0.5) * scale - 0.5, descriptors, scores[rows])

    def _keypoints(self, logits: Any, reliability: Any) -> tuple[Any, Any, Any]:
        """Pixels (n, 2) x, y, places beside their centres, and scores of the maxima, of the resized image."""
        import torch
        from kornia.geometry.subpix import nms2d

        from ..networks.subpixel import places_of
        from ..networks.superpoint import score_map

        likely = score_map(logits)
        y, x = (nms2d(likely[None, None], (WINDOW, WINDOW), mask_only=True)[0, 0] & (likely > self.threshold)).nonzero(
            as_tuple=True
        )
        pixels, size = torch.stack([x, y], dim=1).float(), tuple(likely.shape)
        scores = _read(likely[None, None], pixels, size, "nearest") * _read(reliability, pixels, size, "bilinear")
        return pixels, places_of(likely, y, x, between=self.subpixel), scores[:, 0]


def _read(dense: Any, pixels: Any, size: tuple[int, ...], mode: str) -> Any:
    """A map (1, c, y, x) at pixels (n, 2) of an image of (h, w), as its authors read it."""
    from kornia.feature.xfeat import InterpolateSparse2d

    return InterpolateSparse2d(mode)(dense, pixels[None], H=size[0], W=size[1])[0]
