"""MegaLoc (Berton & Masone, 2025): DINOv2's patches, assigned to clusters by optimal transport and summed in each.

The aggregation is that of Izquierdo & Civera (Optimal transport aggregation, CVPR 2024, section 3) and a linear layer.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize
from torch.nn.utils import skip_init

from .dinov2 import PATCH, WIDTH, DinoV2
from .layers import ImageNet, Unit
from .loading import filled, state_of

DIMS = 8448
CLUSTERS, CLUSTER_DIMS, TOKEN_DIMS, HIDDEN = 64, 256, 256, 512
ITERATIONS = 3
"""of Sinkhorn's algorithm"""
WRAPPED, UNUSED = "backbone.model.", "backbone.mask_token"
"""how the first release names DINOv2's weights, and the one of them that only training needs"""


class MegaLoc(nn.Sequential):
    """RGB images (b, 3, h, w) in [0, 1], of more than 64 patches of 14 px, to unit vectors (b, 8448)."""

    def __init__(self) -> None:
        linear = skip_init(nn.Linear, TOKEN_DIMS + CLUSTERS * CLUSTER_DIMS, DIMS)
        aggregator = nn.Sequential(OrderedDict(agg=Aggregator(), linear=linear, unit=Unit()))
        super().__init__(OrderedDict(pixels=ImageNet(), backbone=DinoV2(), aggregator=aggregator))

    def forward(self, pixels: Tensor) -> Tensor:
        """Sides go to the nearest multiple of 14 px first, of two equally near ones to the even."""
        images = self.pixels(pixels)
        size = [PATCH * round(side / PATCH) for side in images.shape[-2:]]
        if list(images.shape[-2:]) != size:
            images = interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        return self.aggregator(self.backbone(images))


class Aggregator(nn.Module):
    """Tokens (b, 1 + n, 768) of the class and the patches to unit vectors (b, 256 + 256 x 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.dust_bin = nn.Parameter(torch.tensor(1.0))
        self.token_features = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, TOKEN_DIMS))
        self.cluster_features = _perceptron(CLUSTER_DIMS)
        self.score = _perceptron(CLUSTERS)

    def forward(self, tokens: Tensor) -> Tensor:
        """The class first, then of every dimension all clusters side by side; each part to length 1, then the whole."""
        patches = tokens[:, 1:].mT[..., None]
        chances = assignment(self.score(patches)[..., 0], self.dust_bin)
        # (b, 256, 64) = (b, 256, n) @ (b, n, 64)
        clusters = self.cluster_features(patches)[..., 0] @ chances.mT
        parts = normalize(self.token_features(tokens[:, 0]), dim=1), normalize(clusters, dim=1).flatten(1)
        return normalize(torch.cat(parts, dim=1), dim=1)


def assignment(scores: Tensor, dust_bin: Tensor) -> Tensor:
    """Transport of n patches to m < n clusters, (b, m, n), where every cluster gets the mass of one patch.

    A bin of the score `dust_bin` takes the mass of the n - m others. Sinkhorn's algorithm, in logarithms.
    """
    batch, clusters, patches = scores.shape
    scores = torch.cat([scores, dust_bin.expand(batch, 1, patches)], dim=1)
    masses = scores.new_zeros(clusters + 1, 1)
    masses[-1] = math.log(patches - clusters)
    columns = scores.new_zeros(batch, 1, patches)
    for _ in range(ITERATIONS):
        rows = masses - torch.logsumexp(scores + columns, dim=2, keepdim=True)
        columns = -torch.logsumexp(scores + rows, dim=1, keepdim=True)
    return torch.exp(scores + rows + columns)[:, :-1]


def load(path: Path) -> MegaLoc:
    """The network of a file of either release."""
    return filled(MegaLoc(), as_now(state_of(path)), path)


def as_now(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the first release under the names of the present one, which are left as they are."""
    named = {key.replace(WRAPPED, "backbone.", 1): value for key, value in state.items()}
    return {key: value for key, value in named.items() if key != UNUSED}


def _perceptron(outputs: int) -> nn.Sequential:
    """For each patch by itself; what drops values in training stands in the second place."""
    return nn.Sequential(nn.Conv2d(WIDTH, HIDDEN, 1), nn.Identity(), nn.ReLU(), nn.Conv2d(HIDDEN, outputs, 1))
