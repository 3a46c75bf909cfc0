"""AP-GeM (Revaud et al., Learning with average precision, ICCV 2019), as its checkpoints have it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..errors import DataError
from .layers import GeM, ImageNet, Unit
from .loading import checkpoint_of, filled, state_in
from .resnet import Depth, channels, resnet

DEPTHS: dict[str, Depth] = {"resnet50_rmac": 50, "resnet101_rmac": 101}
"""architectures by their name in the checkpoints"""
UNDERSTOOD = {"pooling": "gem", "gemp": 3, "without_fc": False}
"""what else `model_options` may say"""


class Stored:
    """What a pickle says of an object, without the object's class: its attributes."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def _under(path: str, thing: object) -> list[Any]:
    """What numpy before and after version 2 calls the same thing."""
    return [(thing, f"numpy.{core}.multiarray.{path}") for core in ("core", "_core")]


HARMLESS: list[Any] = [
    (Stored, "sklearn.decomposition.pca.PCA"),
    (Stored, "sklearn.decomposition._pca.PCA"),
    *_under("_reconstruct", np.empty(0).__reduce__()[0]),
    *_under("scalar", np.float64(0).__reduce__()[0]),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int64, np.bool_)),
]
"""stand-ins and types for the principal components that lie beside the weights; none of them can run code"""


class Whitening(nn.Module):
    """Unit vectors (b, d) to whitened unit vectors (b, v)."""

    mean: Tensor
    projection: Tensor

    def __init__(self, mean: Tensor, projection: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("projection", projection)

    def forward(self, vectors: Tensor) -> Tensor:
        """`mean` (d) taken away, `projection` (v, d) applied."""
        return normalize((vectors - self.mean) @ self.projection.T, dim=1)


def apgem(depth: Depth = 101, dims: int = 2048, *, norm_features: bool = False) -> nn.Sequential:
    """RGB images (b, 3, h, w) in [0, 1] to unit vectors (b, dims): GeM, to length 1 if so told, and a linear layer."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(pixels=ImageNet())
    layers.update(resnet(depth).named_children())
    layers["adpool"], layers["between"] = GeM(), Unit() if norm_features else nn.Identity()
    layers["fc"], layers["unit"] = nn.Linear(channels(depth), dims), Unit()
    return nn.Sequential(layers)


def load(path: Path) -> tuple[nn.Sequential, Mapping[str, Any]]:
    """The network of a checkpoint, and by name the principal components that came with it (sklearn's attributes)."""
    checkpoint = checkpoint_of(path, HARMLESS)
    state = state_in(checkpoint, path)
    network = _built(checkpoint.get("model_options", {}), path)
    counters = [key for key in network.state_dict() if key.endswith("num_batches_tracked")]
    return filled(network, state, path, but=counters), checkpoint.get("pca", {})


def whitening(components: Mapping[str, Any], name: str, power: float, dims: int, path: Path) -> Whitening:
    """Whitening by the principal components of that name, the first `dims`, divided by variance ** power."""
    stored = vars(components[name]) if name in components else {}
    try:
        mean, axes = np.asarray(stored["mean_"]), np.asarray(stored["components_"])[:dims]
        variance = np.asarray(stored["explained_variance_"])[:dims] if stored["whiten"] else np.ones(len(axes))
    except KeyError as error:
        raise DataError(f"{path}: expected principal components '{name}' with {error}") from None
    projection = axes / variance[:, None] ** power
    return Whitening(torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(projection.astype(np.float32)))


def _built(options: Mapping[str, Any], path: Path) -> nn.Sequential:
    """The architecture that a checkpoint names; what it does not say is as its authors' code has it."""
    architecture = options.get("arch", "resnet101_rmac")
    strange = {key: options[key] for key, value in UNDERSTOOD.items() if options.get(key, value) != value}
    if architecture not in DEPTHS or strange:
        raise DataError(f"{path}: expected {' or '.join(DEPTHS)} with {UNDERSTOOD}, got {architecture} with {strange}")
    return apgem(DEPTHS[architecture], options.get("out_dim", 2048), norm_features=options.get("norm_features", False))
