"""R2D2: Repeatable and Reliable Detector and Descriptor (Revaud et al., NeurIPS 2019), as its checkpoints have it.

L2-Net with 8 x 8 convolutions replaced by three 2 x 2 ones, and dilations in place of strides, so that every pixel has
a descriptor. The heads look at the squares of the features before these are normalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

DIMS = 128
LAYERS = ((1, 3, 1), (1, 3, 1), (2, 3, 2), (2, 3, 1), (4, 3, 2), (4, 3, 1), (4, 2, 2), (4, 2, 2))
"""channels (in widths), side of the kernel, and the stride that becomes a dilation of all layers after it"""
POOLED = 2
"""place of the layer after which the fast network takes maxima instead of its stride"""


@dataclass(frozen=True)
class Architecture:
    """What differs between the published networks."""

    width: int = 32
    """channels of the first two layers"""
    pool: int = 1
    """px; side of the squares whose maxima the fast network goes on with; its maps are interpolated at the end"""


class DenseFeatures(NamedTuple):
    """For every pixel a unit descriptor, (b, 128, h, w), and two probabilities, (b, 1, h, w)."""

    descriptors: Tensor
    reliability: Tensor
    repeatability: Tensor


class R2D2(nn.Module):
    """Images (b, 3, h, w), normalised as for ImageNet, to dense features; with `pool`, odd last rows are cut off."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.ops = nn.Sequential(*_trunk(architecture))
        self.clf = nn.Conv2d(DIMS, 2, 1)
        self.sal = nn.Conv2d(DIMS, 1, 1)

    def forward(self, images: Tensor) -> DenseFeatures:
        """X, R and S of the paper (section 3.1), the maps as probabilities."""
        features = self.ops(images)
        squares = features**2
        reliability = torch.softmax(self.clf(squares), dim=1)[:, 1:]
        rise = softplus(self.sal(squares))
        return DenseFeatures(normalize(features, dim=1), reliability, rise / (1 + rise))


def _trunk(architecture: Architecture) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels, dilation, pool = 3, 1, architecture.pool
    for place, (widths, size, stride) in enumerate(LAYERS):
        outputs = widths * architecture.width
        layers += [_convolution(channels, outputs, size, dilation), nn.BatchNorm2d(outputs, affine=False)]
        layers += [nn.ReLU(inplace=True)] if size == 3 else []
        is_pooled = place == POOLED and pool > 1
        layers += [nn.MaxPool2d(pool)] if is_pooled else []
        channels, dilation = outputs, dilation * (1 if is_pooled else stride)
    layers.append(_convolution(channels, DIMS, 2, dilation))
    return [*layers, nn.Upsample(scale_factor=pool, mode="bilinear", align_corners=False)] if pool > 1 else layers


def _convolution(inputs: int, outputs: int, size: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=(size - 1) * dilation // 2, dilation=dilation)
