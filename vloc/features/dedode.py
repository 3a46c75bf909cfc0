"""DeDoDe: keypoints that structure from motion finds, and descriptors that match them, by kornia."""

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
from .strongest import MEAN_AND_DEVIATION, as_tensor, features_of, nothing

DETECTORS = {"v1": "dedode_detector_L.pth", "v2": "dedode_detector_L_v2.pth"}
DESCRIPTOR = "dedode_descriptor_B.pth"
DIMS = 256
STRIDE = 14
"""px; images are padded to multiples of it with the mean colour, as in its authors' larger networks"""
LEAST_SIDE = 16


@FEATURES.register("dedode")
@dataclass(frozen=True)
class DeDoDe:
    """A detector and a descriptor that were trained apart (Edstedt et al., DeDoDe, 3DV 2024), L and B.

    Keypoints are the likeliest pixels, neighbours included; there is no least score, so blank images have some too.
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True
    matcher: ClassVar[str] = "dual_softmax"  # as its authors match

    detector: Literal["v1", "v2"] = "v2"
    """weights of the detector: those of the paper, or of its second version, which clusters less"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 5000
    """keypoints, as many as the image has pixels at most"""
    max_size: Annotated[int, msgspec.Meta(ge=32)] = 784
    """px; larger images are reduced to this longer side"""

    @property
    def weights(self) -> tuple[str, str]:
        """The published weights."""
        return DETECTORS[self.detector], DESCRIPTOR

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of RGB images."""
        try:
            from kornia.feature.dedode.dedode_models import get_descriptor, get_detector
        except ImportError as error:
            raise ExtraMissingError("dedode", "learned", error) from None
        detector, descriptor = (
            _network(make, kind, file, runtime)
            for make, kind, file in zip((get_detector, get_descriptor), "LB", self.weights, strict=True)
        )
        return at_reduced_size(lambda image: self._extract(detector, descriptor, image), self.max_size)

    def _extract(self, detector: Any, descriptor: Any, image: UInt8[np.ndarray, "h w 3"]) -> LocalFeatures:
        import torch
        from kornia.feature.dedode.utils import sample_keypoints
        from torch.nn.functional import grid_sample, pad

        height, width, _ = image.shape
        if min(height, width) < LEAST_SIDE:
            return nothing(DIMS)
        with torch.inference_mode():
            pixels = as_tensor(image, detector, MEAN_AND_DEVIATION)
            padded = pad(pixels, (0, -width % STRIDE, 0, -height % STRIDE))
            logits = detector(padded)[0, 0, :height, :width]
            likely = logits.flatten().softmax(dim=0).view(1, height, width)
            grid, scores = sample_keypoints(likely, self.max_keypoints)  # from -1 to 1 between the image's corners
            dense = descriptor(padded)[..., :height, :width]
            descriptors = grid_sample(dense, grid[:, None], align_corners=False)[0, :, 0].T
            places = (grid[0] + 1) / 2 * grid.new_tensor([width, height]) - 0.5
            return features_of(places, descriptors, scores[0])


def _network(make: Any, kind: str, file: str, runtime: Runtime) -> Any:
    """A network with its weights; making up numbers first, of which VGG-19 has 143 millions, would take seconds."""
    import torch

    from ..networks.loading import device_of, load_into

    with torch.device("meta"):
        module = make(kind)
    return load_into(module.to_empty(device="cpu"), find(file)).to(device_of(runtime))
