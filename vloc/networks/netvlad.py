"""NetVLAD on VGG-16 (Arandjelovic et al., CVPR 2016), from the files that its authors published for MATLAB."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import skip_init

from ..errors import DataError
from .layers import Unit
from .loading import filled
from .vgg import CHANNELS, vgg16

WORDS = 64
VLAD, WHITENING = 30, 33
"""places of the two layers after the convolutions in the file; those have the places of torchvision"""

NOT_AS_EXPECTED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""what reading a structure of another layout gives"""


class Centred(nn.Module):
    """RGB images (b, 3, h, w) in [0, 1] to the scale 0-255, less the mean of the training images."""

    mean: Tensor

    def __init__(self, mean: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Images of the same size."""
        return 255 * pixels - self.mean


class Vlad(nn.Module):
    """Features (b, d, h, w) to sums (b, 64 d) of residuals to words, each weighed by how near it is (equation 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(CHANNELS, WORDS))
        self.score_proj = nn.Conv1d(CHANNELS, WORDS, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Every word's sum to length 1, then the whole; the words of one dimension stand side by side."""
        features = normalize(features.flatten(2), dim=1)
        weights = torch.softmax(self.score_proj(features), dim=1)
        # (b, d, words) = (b, d, n) @ (b, n, words) - (d, words) (b, 1, words)
        sums = features @ weights.mT - self.centers * weights.sum(dim=2)[:, None]
        return normalize(normalize(sums, dim=1).flatten(1), dim=1)


def netvlad(mean: tuple[float, ...], dims: int = 4096) -> nn.Sequential:
    """RGB images (b, 3, h, w) in [0, 1] to unit vectors (b, dims); `mean` RGB on the scale 0-255."""
    whiten = skip_init(nn.Linear, CHANNELS * WORDS, dims)
    layers = OrderedDict(pixels=Centred(mean), backbone=vgg16(), netvlad=Vlad(), whiten=whiten, unit=Unit())
    return nn.Sequential(layers)


def load(path: Path) -> nn.Sequential:
    """The network of a `.mat` file."""
    layers, mean = _read(path)
    try:
        state = _state(layers)
    except NOT_AS_EXPECTED as error:
        raise DataError(f"{path}: expected the layers of VGG-16 with NetVLAD and its whitening ({error})") from None
    return filled(netvlad(mean, len(state["whiten.bias"])), state, path)


def _read(path: Path) -> tuple[Any, tuple[float, ...]]:
    """Layers, and the mean color."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        net = loadmat(path, struct_as_record=False, squeeze_me=True, variable_names=["net"])["net"]
        return net.layers, tuple(float(value) for value in net.meta.normalization.averageImage[0, 0])
    except (*NOT_AS_EXPECTED, MatReadError, NotImplementedError, OSError, zlib.error) as error:
        raise DataError(f"{path}: expected a MATLAB file with 'net' of MatConvNet ({error})") from None


def _state(layers: Any) -> dict[str, Tensor]:
    """The weights under our names; MATLAB has (h, w, in, out), and centres of the opposite sign."""
    state: dict[str, np.ndarray] = {}
    for place, layer in enumerate(vgg16()):
        if isinstance(layer, nn.Conv2d):
            weight, bias = layers[place].weights
            state |= {f"backbone.{place}.weight": weight.transpose(3, 2, 0, 1), f"backbone.{place}.bias": bias}
    (assignment, centers), (projection, bias) = layers[VLAD].weights, layers[WHITENING].weights
    state |= {"netvlad.centers": -centers, "netvlad.score_proj.weight": assignment.T[..., None]}
    state |= {"whiten.weight": projection.T, "whiten.bias": bias}
    return {key: torch.from_numpy(np.asarray(value)) for key, value in state.items()}
