"""DINOv2's vision transformer ViT-B/14 without registers (Oquab et al., TMLR 2024), with the names of its weights."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

PATCH = 14
"""px; side of a patch"""
WIDTH, HEADS, BLOCKS = 768, 12, 12
GRID = 37
"""patches on a side of the images that it was trained on"""
EPSILON = 1e-6
OFFSET = 0.1
"""patches; positions are enlarged to a little more than the grid, so that rounding never loses a row"""


class DinoV2(nn.Module):
    """Normalised images (b, 3, 14 h, 14 w) to tokens (b, 1 + h w, 768): that of the class, then the patches by rows."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID**2, WIDTH))
        self.patch_embed = nn.Sequential(OrderedDict(proj=nn.Conv2d(3, WIDTH, PATCH, PATCH)))
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """The last block's tokens, normalised."""
        return self.norm(self.blocks(self.embedded(images)))

    def embedded(self, images: Tensor) -> Tensor:
        """Tokens before the first block, with their positions."""
        patches = self.patch_embed(images)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches.flatten(2).mT], dim=1)
        return tokens + self._positions(*patches.shape[-2:])

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Of the class and a grid of patches, (1, 1 + rows columns, 768), interpolated from those that were trained."""
        if (rows, columns) == (GRID, GRID):
            return self.pos_embed
        grid = self.pos_embed[:, 1:].mT.unflatten(2, (GRID, GRID))
        scale = (rows + OFFSET) / GRID, (columns + OFFSET) / GRID
        resized = interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False)
        return torch.cat([self.pos_embed[:, :1], resized.flatten(2).mT], dim=1)


class Block(nn.Module):
    """Attention, then a perceptron for each token, both added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, EPSILON)
        self.attn = Attention()
        self.ls1 = Scale()
        self.norm2 = nn.LayerNorm(WIDTH, EPSILON)
        wide, narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.mlp = nn.Sequential(OrderedDict(fc1=wide, gelu=nn.GELU(), fc2=narrow))
        self.ls2 = Scale()

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (b, n, 768) of the same shape."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))


class Attention(nn.Module):
    """Every token looks at all, in twelve ways."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (b, n, 768) of the same shape."""
        # (3, b, heads, n, 64) of (b, n, 3 x heads x 64)
        query, key, value = self.qkv(tokens).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Scale(nn.Module):
    """A learned factor for each of the 768 numbers of a token."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens of the same shape."""
        return tokens * self.gamma
