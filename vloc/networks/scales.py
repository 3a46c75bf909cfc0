"""One global descriptor of an image looked at in several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

LEAST = 1e-6
"""smaller absolute values count as this"""
LEAST_SIDE = 32
"""px; no side is made smaller than this, so that a network has something to look at"""


class AtScales(nn.Module):
    """Images (b, 3, h, w) to unit vectors (b, d): a network's own at several scales of the image, pooled."""

    def __init__(self, network: nn.Module, scales: Sequence[float], power: float) -> None:
        super().__init__()
        self.network, self.scales, self.power = network, tuple(scales), power

    def forward(self, pixels: Tensor) -> Tensor:
        """Every scale is made of the image itself, smoothed as it is reduced."""
        return pooled(torch.stack([self.network(scaled(pixels, scale)) for scale in self.scales]), self.power)


def pooled(vectors: Tensor, power: float) -> Tensor:
    """Unit vectors (b, d) of several (s, b, d): the mean of signed powers, rooted again; power 1 is the mean."""
    return normalize(_signed_power(_signed_power(vectors, power).mean(dim=0), 1 / power), dim=1)


def scaled(pixels: Tensor, scale: float) -> Tensor:
    """Images at that share of their sides, rounded to whole px."""
    size = [max(round(side * scale), min(side, LEAST_SIDE)) for side in pixels.shape[2:]]
    if size == [*pixels.shape[2:]]:
        return pixels
    return interpolate(pixels, size, mode="bilinear", antialias=True)


def _signed_power(values: Tensor, power: float) -> Tensor:
    return values.sign() * values.abs().clamp(min=LEAST).pow(power)
