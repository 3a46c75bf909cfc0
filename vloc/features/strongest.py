"""What networks find, as features: the strongest first, and no more than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures

if TYPE_CHECKING:
    from torch import Tensor

MEAN_AND_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""of ImageNet's red, green and blue"""
SIGMA = 1.6
"""px; most networks tell no scale, so it is taken for that of SIFT's first octave"""


def strongest(scores: Tensor, max_keypoints: int) -> Tensor:
    """Rows of the highest scores, highest first; equal ones in their order."""
    import torch

    return torch.sort(scores, descending=True, stable=True).indices[:max_keypoints]


def features_of(places: Tensor, descriptors: Tensor, scores: Tensor) -> LocalFeatures:
    """Features of places (n, 2) in px from the first pixel's centre, in their order."""
    keypoints = places.float().cpu().numpy() + np.float32(0.5)  # vloc's first pixel is centred at (0.5, 0.5)
    rows = np.ascontiguousarray(descriptors.half().cpu().numpy())
    return LocalFeatures(keypoints, rows, scores.float().cpu().numpy(), np.full(len(keypoints), SIGMA, np.float32))


def nothing(dims: int) -> LocalFeatures:
    """What there is in images that are too small for a network."""
    return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, dims), np.float16), *np.zeros((2, 0), np.float32))


def as_tensor(image: UInt8[np.ndarray, "h w *c"], network: Any, normal: tuple[Any, Any] = (0.0, 1.0)) -> Tensor:
    """(1, c, h, w) where the network is: from 0 to 1, then less a mean and over a deviation, of each colour."""
    import torch

    device = next(network.parameters()).device
    mean, deviation = (torch.tensor(values, device=device).view(1, -1, 1, 1) for values in normal)
    pixels = torch.from_numpy(image).to(device)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return (pixels[None].float() / 255 - mean) / deviation
