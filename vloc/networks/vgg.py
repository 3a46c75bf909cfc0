"""VGG-16 (Simonyan & Zisserman, ICLR 2015) up to its last convolution, with torchvision's places in the sequence."""

from __future__ import annotations

from torch import nn

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""channels of the convolutions between one pooling and the next"""
CHANNELS = 512


def vgg16() -> nn.Sequential:
    """Images (b, 3, h, w) to features (b, 512, h / 16, w / 16), sizes rounded down; they may be negative."""
    layers: list[nn.Module] = []
    inputs = 3
    for stage, widths in enumerate(WIDTHS):
        layers += [nn.MaxPool2d(2)] if stage else []
        for outputs in widths:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = outputs
    return nn.Sequential(*layers[:-1])  # what follows normalises conv5_3 itself
