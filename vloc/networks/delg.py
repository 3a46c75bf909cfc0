"""The global head of DELG (Cao et al., Unifying deep local and global features, ECCV 2020), as its PyTorch port has it.

It is the network of AP-GeM with ResNet-50, under other names, and looks at BGR.
"""

from __future__ import annotations

import re
from pathlib import Path

from torch import nn

from .apgem import apgem
from .layers import ImageNet
from .loading import checkpoint_of, filled, state_in

DIMS = 512
PREFIX = "globalmodel."
"""of the weights that the global descriptor needs; the others are for local features and for training"""
BRANCH = {"a": "1", "b": "2", "c": "3"}
"""convolutions of a bottleneck: the port's name -> torchvision's number"""


def delg() -> nn.Sequential:
    """RGB images (b, 3, h, w) in [0, 1] to unit vectors (b, 512)."""
    network = apgem(50, DIMS)
    network.pixels = ImageNet(is_bgr=True)
    return network


def load(path: Path) -> nn.Sequential:
    """The network of a checkpoint of the port."""
    checkpoint = checkpoint_of(path)
    state = state_in(checkpoint, path, under="model_state")
    own = {our_name(key.removeprefix(PREFIX)): value for key, value in state.items() if key.startswith(PREFIX)}
    return filled(delg(), own, path)


def our_name(key: str) -> str:
    """`s1.b2.f.a_bn.weight` -> `layer1.1.bn1.weight`, and so on."""
    key = re.sub(r"^stem\.(conv|bn)\.", r"\g<1>1.", key)
    key = re.sub(r"^s(\d)\.b(\d+)\.", lambda found: f"layer{found[1]}.{int(found[2]) - 1}.", key)
    key = re.sub(r"\.f\.([abc])\.", lambda found: f".conv{BRANCH[found[1]]}.", key)
    key = re.sub(r"\.f\.([abc])_bn\.", lambda found: f".bn{BRANCH[found[1]]}.", key)
    key = key.replace(".proj.", ".downsample.0.").replace(".bn.", ".downsample.1.")
    return key.replace("head.pool.", "adpool.").replace("head.fc.", "fc.")
