"""Key.Net keypoints with affine frames by AffNet and descriptors by HardNet, by kornia."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
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
from .strongest import SIGMA, as_tensor, features_of, nothing

DIMS = 128
LEAST_SIDE = 32
"""px; nothing is found within 15 px of the border, at any scale"""
PATCH = 32
"""px; descriptors are made of patches of so many rows and columns"""
KEYNET, AFFNET, ORINET = "keynet_pytorch.pth", "AffNet.pth", "OriNet.pth"
HARDNET = "checkpoint_liberty_with_aug.pth"


@FEATURES.register("keynet")
@dataclass(frozen=True)
class KeyNet:
    """Maxima of a small network at several scales (Barroso-Laguna et al., Key.Net, ICCV 2019), with affine frames.

    Frames are AffNet's (Mishkin et al., ECCV 2018), descriptors HardNet's (Mishchuk et al., NeurIPS 2017).
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False
    matcher: ClassVar[str] = "bands:ratio=0.95"  # mutual neighbours by ratio, as kornia's match_smnn has it

    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 4096
    """keypoints kept at most, those of highest score"""
    upright: bool = False
    """whether frames are left as they stand, and not turned by OriNet"""
    max_size: Annotated[int, msgspec.Meta(ge=32)] = 1024
    """px; larger images are reduced to this longer side; the search begins above that size"""

    @property
    def weights(self) -> tuple[str, ...]:
        """The published weights."""
        return KEYNET, AFFNET, HARDNET, *(() if self.upright else (ORINET,))

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of grey images."""
        try:
            import kornia.feature  # noqa: F401
        except ImportError as error:
            raise ExtraMissingError("keynet", "learned", error) from None
        network = self._network({file: find(file) for file in self.weights}, runtime)
        return at_reduced_size(lambda image: self._extract(network, image), self.max_size)

    def _network(self, paths: dict[str, Path], runtime: Runtime) -> Any:
        """The detector of frames, what shapes and turns them, and what describes them."""
        from kornia import feature
        from torch import nn

        from ..networks.loading import device_of, load_into

        shape = feature.LAFAffNetShapeEstimator(pretrained=False, preserve_orientation=False)
        angle, descriptor = feature.OriNet(pretrained=False), feature.HardNet(pretrained=False)
        detector = feature.KeyNetDetector(pretrained=False, num_features=self.max_keypoints)
        modules = {KEYNET: detector.model, AFFNET: shape, ORINET: angle, HARDNET: descriptor}
        for file, path in paths.items():
            load_into(modules[file], path)
        turn = feature.PassLAF() if self.upright else feature.LAFOrienter(angle_detector=angle)
        describe = feature.LAFDescriptor(descriptor, patch_size=PATCH)
        return nn.ModuleList([detector, shape, turn, describe]).eval().to(device_of(runtime))

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w"]) -> LocalFeatures:
        import torch
        from kornia.feature import get_laf_center, get_laf_scale, laf_is_filled

        detector, shape, turn, describe = network
        if min(image.shape) < LEAST_SIDE:
            return nothing(DIMS)
        with torch.inference_mode():
            pixels = as_tensor(image, network)
            scores, frames = detector.detect(pixels)  # highest score first, then empty ones
            filled = laf_is_filled(frames)[0]
            scores, frames = scores[0, filled], frames[:, filled]
            if not len(scores):
                return nothing(DIMS)
            zoom = get_laf_scale(frames)[0, :, :, 0] / detector.mr_size
            # kornia puts pixel i of a reduced image at i zoom of the image, its centre is at (i + 0.5) zoom - 0.5.
            places = get_laf_center(frames)[0] + (zoom - 1) / 2
            descriptors = describe(pixels, turn(shape(frames, pixels), pixels))[0]
            found = features_of(places, descriptors, scores)
            return replace(found, scales=SIGMA * zoom[:, 0].cpu().numpy())
