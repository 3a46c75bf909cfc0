"""Layers that several networks for global descriptors are made of; none but GeM has weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""of the three channels of ImageNet's images, RGB in [0, 1]"""


class ImageNet(nn.Module):
    """RGB images (b, 3, h, w) in [0, 1] to zero mean and unit deviation on ImageNet; `is_bgr`: the channels turned."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, is_bgr: bool = False) -> None:
        super().__init__()
        self.is_bgr = is_bgr
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Images of the same size."""
        normalised = (pixels - self.mean) / self.deviation
        return normalised.flip(1) if self.is_bgr else normalised


class Unit(nn.Module):
    """Vectors along the second axis to length 1; zeros stay zeros."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors of the same shape."""
        return normalize(vectors, dim=1)


class GeM(nn.Module):
    """Generalised mean of a map (b, d, h, w) -> (b, d) with a learned power (Radenovic et al., TPAMI 2019, eq. 3)."""

    def __init__(self, power: float = 3.0, least: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), power))
        self.least = least

    def forward(self, features: Tensor) -> Tensor:
        """The p-th root of the mean of p-th powers; values under `least` count as `least`."""
        return features.clamp(min=self.least).pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)
