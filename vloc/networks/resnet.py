"""Residual networks (He et al., CVPR 2016) without classifiers, with the names that torchvision gives their weights.

The stride of a bottleneck is on its 3 x 3 convolution.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import relu

Depth = Literal[18, 50, 101, 152]
BLOCKS: dict[Depth, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""blocks of each stage, by the number of layers"""
WIDTHS = (64, 128, 256, 512)
"""channels inside the blocks of each stage"""


def resnet(depth: Depth) -> nn.Sequential:
    """Images (b, 3, h, w) to features (b, `channels(depth)`, h / 32, w / 32), sizes rounded up."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv1"] = nn.Conv2d(3, WIDTHS[0], 7, stride=2, padding=3, bias=False)
    layers["bn1"], layers["relu"] = nn.BatchNorm2d(WIDTHS[0]), nn.ReLU(inplace=True)
    layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
    inputs = WIDTHS[0]
    for stage, (blocks, width) in enumerate(zip(BLOCKS[depth], WIDTHS, strict=True), start=1):
        outputs = width * _kind(depth).expansion
        firsts = [(inputs, 1 if stage == 1 else 2)] + [(outputs, 1)] * (blocks - 1)
        layers[f"layer{stage}"] = nn.Sequential(*(_kind(depth)(channels, width, step) for channels, step in firsts))
        inputs = outputs
    return nn.Sequential(layers)


def channels(depth: Depth) -> int:
    """Of the features that `resnet` gives."""
    return WIDTHS[-1] * _kind(depth).expansion


class Basic(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """(b, inputs, h, w) to (b, width, h / stride, w / stride)."""
        branch = relu(self.bn1(self.conv1(features)), inplace=True)
        return relu(self.bn2(self.conv2(branch)) + self.downsample(features), inplace=True)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two 1 x 1 ones that narrow and widen, beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, features: Tensor) -> Tensor:
        """(b, inputs, h, w) to (b, 4 width, h / stride, w / stride)."""
        branch = relu(self.bn1(self.conv1(features)), inplace=True)
        branch = relu(self.bn2(self.conv2(branch)), inplace=True)
        return relu(self.bn3(self.conv3(branch)) + self.downsample(features), inplace=True)


def _kind(depth: Depth) -> type[Basic] | type[Bottleneck]:
    return Basic if depth == 18 else Bottleneck


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
