"""Made weights for LightGlue."""

from pathlib import Path

import kornia.feature as kornia
import numpy as np
import torch

from vloc.data.features import LocalFeatures
from vloc.matching.lightglue import TRAINED

State = dict[str, torch.Tensor]


def network(of: str, **settings: float) -> torch.nn.Module:
    """kornia's own with made weights."""
    torch.manual_seed(0)
    architecture = {
        key: value for key, value in kornia.LightGlue.features[TRAINED[of].name].items() if key != "weights"
    }
    return kornia.LightGlue(None, **architecture | settings).eval()


def dual_softmax(temperature: float) -> State:
    """Layers that change nothing, and descriptors compared as they are: (1, 128) of ALIKED, spread over 256."""
    module = network("aliked")
    state = {key: torch.zeros_like(value) for key, value in module.state_dict().items()}
    state["input_proj.weight"][:128] = torch.eye(128)
    for key in state:
        if key.endswith("final_proj.weight"):
            state[key] = torch.eye(256) * 256**0.25 / temperature**0.5
        if key.endswith("matchability.bias"):
            state[key] += 20.0
    return state


def publish(of: str, state: State, folder: Path) -> None:
    """Write weights as they are published: under their name, and with the names that layers had then."""
    prefix = "matcher." if of == "xfeat" else ""
    kept = {prefix + _published(key): value for key, value in state.items() if key != "confidence_thresholds"}
    torch.save(kept, folder / TRAINED[of].file)


def _published(key: str) -> str:
    parts = key.split(".")
    return ".".join([parts[2], parts[1], *parts[3:]]) if parts[0] == "transformers" else key


def in_floats(features: LocalFeatures) -> LocalFeatures:
    rows = (features.descriptors / features.lengths[:, None]).astype(np.float16)
    return LocalFeatures(features.keypoints, rows, features.scores, features.scales)
