"""Global descriptors by networks: images in, what the network says of them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from ..array_types import Float32, UInt8
from ..data.features import Arrays, GlobalDescriptor
from ..errors import ExtraMissingError
from ..features.reduced_size import reduced
from ..runtime import Runtime
from .base import Describer

LEAST_SIDE = 32
"""px; each side of a smaller image is stretched to it, so that every network has something to look at"""


class TrainedElsewhere:
    """What the settings of all such descriptors have: they look at colors, and a map teaches them nothing."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True

    def train(self, runtime: Runtime, images: Iterable[np.ndarray], seed: int) -> Arrays:
        """Nothing."""
        return {}


def needs_torch(name: str) -> None:
    """ExtraMissingError where the descriptor of that name cannot run."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ExtraMissingError(name, "learned", error) from None


def describer(network: Any, image_size: int, least_side: int = LEAST_SIDE) -> Describer:
    """Describer of RGB images by a network that makes unit vectors (1, d) of pixels (1, 3, h, w) in [0, 1].

    Images are reduced to a longer side of `image_size` px. Those of a single color show nothing: zeros.
    """

    def describe(image: UInt8[np.ndarray, "h w 3"]) -> GlobalDescriptor:
        vector = _run(network, at_least(reduced(image, image_size), least_side))
        return GlobalDescriptor(np.zeros_like(vector) if is_blank(image) else vector)

    return describe


def at_least(image: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "new_h new_w 3"]:
    """The image with every side of fewer px stretched to `side`."""
    import cv2

    height, width = image.shape[:2]
    if min(height, width) >= side:
        return image
    return cv2.resize(image, (max(width, side), max(height, side)), interpolation=cv2.INTER_LINEAR)


def is_blank(image: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether an image has a single color."""
    return bool((image == image[0, 0]).all())


def _run(network: Any, image: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "d"]:
    import torch

    device = next(network.parameters()).device
    with torch.inference_mode():
        pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 255
        return network(pixels)[0].float().cpu().numpy()
