"""What networks find, as features: the strongest first, and no more than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Shaped, UInt8
from ..data.features import LocalFeatures

if TYPE_CHECKING:
    from torch import Tensor

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


def as_tensor(image: Shaped[UInt8[np.ndarray, "..."], "h w *c"] | np.ndarray, network: object) -> Tensor:
    """(1, c, h, w) from 0 to 1, where the network is."""
    import torch

    device = next(network.parameters()).device  # type: ignore[attr-defined]
    pixels = torch.from_numpy(image).to(device)
    return (pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1))[None].float() / 255
