"""SuperPoint (DeTone et al., SuperPoint, CVPR Workshops 2018): the original network and the retrained one."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, normalize, pixel_shuffle, relu

CELL = 8
"""px; the network says for every cell of so many rows and columns which of its pixels is a keypoint, if any"""
WIDTHS = (64, 64, 128, 128)
HEAD, DIMS = 256, 256
BATCH_NORM_EPSILON = 1e-3  # TensorFlow's


class Cells(NamedTuple):
    """Of every cell: how likely each pixel is, row by row, and none of them, as logits; and unit descriptors."""

    logits: Tensor
    """(1, 65, y, x)"""
    descriptors: Tensor
    """(1, 256, y, x)"""


class SuperPoint(nn.Module):
    """Eight convolutions in four stages, and two heads; keys as in `superpoint_v1.pth`."""

    def __init__(self) -> None:
        super().__init__()
        before = 1
        for stage, width in enumerate(WIDTHS, 1):
            self.add_module(f"conv{stage}a", nn.Conv2d(before, width, 3, padding=1))
            self.add_module(f"conv{stage}b", nn.Conv2d(width, width, 3, padding=1))
            before = width
        for head, dims in (("P", CELL**2 + 1), ("D", DIMS)):
            self.add_module(f"conv{head}a", nn.Conv2d(before, HEAD, 3, padding=1))
            self.add_module(f"conv{head}b", nn.Conv2d(HEAD, dims, 1))
        self.pool = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> Cells:
        """A grey image (1, 1, h, w) from 0 to 1, of which rows and columns beyond the last whole cell are left out."""
        for stage in range(1, len(WIDTHS) + 1):
            image = image if stage == 1 else self.pool(image)
            for part in "ab":
                image = relu(self.get_submodule(f"conv{stage}{part}")(image))
        logits, descriptors = (
            self.get_submodule(f"conv{head}b")(relu(self.get_submodule(f"conv{head}a")(image))) for head in "PD"
        )
        return Cells(logits, normalize(descriptors, dim=1))

    @staticmethod
    def positions(places: Tensor, height: int, width: int) -> tuple[Tensor, bool]:
        """Where it reads descriptors, from -1 to 1, and whether these are the centres of the outer cells.

        `places` (n, 2): x, y in px from the first pixel's centre; height, width: of the map of cells. The original code
        is up to half a cell off at the far border, and its descriptors are read so ever since.
        """
        size = places.new_tensor([width, height]) * CELL
        return 2 * (places - (CELL - 1) / 2) / (size - (CELL + 1) / 2) - 1, True


class OpenSuperPoint(nn.Module):
    """The same with normalisation behind every activation; keys as in `superpoint_v6_from_tf.pth`."""

    def __init__(self) -> None:
        super().__init__()
        stages, before = [], 1
        for stage, width in enumerate(WIDTHS, 1):
            layers: list[nn.Module] = [_block(before, width, 3), _block(width, width, 3)]
            stages.append(nn.Sequential(*layers, *([nn.MaxPool2d(2)] if stage < len(WIDTHS) else [])))
            before = width
        self.backbone = nn.Sequential(*stages)
        self.detector = nn.Sequential(_block(before, HEAD, 3), _block(HEAD, CELL**2 + 1, 1, is_last=True))
        self.descriptor = nn.Sequential(_block(before, HEAD, 3), _block(HEAD, DIMS, 1, is_last=True))

    def forward(self, image: Tensor) -> Cells:
        """As the original."""
        features = self.backbone(image)
        return Cells(self.detector(features), normalize(self.descriptor(features), dim=1))

    @staticmethod
    def positions(places: Tensor, height: int, width: int) -> tuple[Tensor, bool]:
        """As the original, but exact."""
        return 2 * (places + 0.5) / (places.new_tensor([width, height]) * CELL) - 1, False


def _block(before: int, width: int, kernel: int, *, is_last: bool = False) -> nn.Sequential:
    layers = {
        "conv": nn.Conv2d(before, width, kernel, padding=kernel // 2),
        "activation": nn.Identity() if is_last else nn.ReLU(inplace=True),
        "bn": nn.BatchNorm2d(width, eps=BATCH_NORM_EPSILON),
    }
    return nn.Sequential(OrderedDict(layers))


def score_map(logits: Tensor) -> Tensor:
    """How likely each pixel is a keypoint, (8 y, 8 x), from the logits (1, 65, y, x) of its cell."""
    return pixel_shuffle(logits.softmax(dim=1)[:, :-1], CELL)[0, 0]


def described(network: SuperPoint | OpenSuperPoint, descriptors: Tensor, places: Tensor) -> Tensor:
    """Unit descriptors (n, 256) at places (n, 2), x, y in px from the first pixel's centre."""
    grid, at_centres = network.positions(places, *descriptors.shape[-2:])
    found = grid_sample(descriptors, grid[None, None].to(descriptors.dtype), align_corners=at_centres)[0, :, 0]
    return normalize(torch.t(found), dim=1)
