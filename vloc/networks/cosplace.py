"""The network of CosPlace (Berton et al., CVPR 2022) and EigenPlaces (ICCV 2023), which differ in their weights."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import nn

from .layers import GeM, ImageNet, Unit
from .resnet import Depth, channels, resnet
from .vgg import CHANNELS, vgg16

Backbone = Literal["vgg16", "resnet18", "resnet50", "resnet101", "resnet152"]
DEPTHS: dict[str, Depth] = {"resnet18": 18, "resnet50": 50, "resnet101": 101, "resnet152": 152}


def cosplace(backbone: Backbone, dims: int) -> nn.Sequential:
    """RGB images (b, 3, h, w) in [0, 1] to unit vectors (b, dims): GeM of unit features, then a linear layer."""
    trunk = vgg16() if backbone == "vgg16" else resnet(DEPTHS[backbone])
    width = CHANNELS if backbone == "vgg16" else channels(DEPTHS[backbone])
    # the authors flatten between GeM and the linear layer
    head = nn.Sequential(Unit(), GeM(), nn.Flatten(), nn.Linear(width, dims), Unit())
    numbered = nn.Sequential(*trunk.children())
    return nn.Sequential(OrderedDict(pixels=ImageNet(), backbone=numbered, aggregation=head))
