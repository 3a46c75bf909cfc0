"""Checkpoints into modules that are ready to run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..errors import ConfigError, DataError
from ..runtime import Runtime

Module = TypeVar("Module", bound=nn.Module)
# Some checkpoints hold a training history of these types; none of them can run code.
HARMLESS: list[Any] = [dict, list, (lambda *_: {}, "collections.defaultdict"), (list, "__builtin__.list")]
COMMON_PREFIX = "module."
"""what DataParallel puts before every key"""


def state_of(path: Path) -> dict[str, Tensor]:
    """The state dict of a `.pt` or `.pth` file, read without running code from it."""
    try:
        with torch.serialization.safe_globals(HARMLESS):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: not a checkpoint that can be read safely ({reason})") from None
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path}: expected a dictionary of tensors, or one under 'state_dict'")
    return {key.removeprefix(COMMON_PREFIX): value for key, value in state.items()}


def load_into(module: Module, path: Path, but: Collection[str] = ()) -> Module:
    """The module with the weights of a file, every one of them and no others; `but`: keys that the file has not."""
    own = {key: value for key, value in module.state_dict().items() if key in but}
    try:
        module.load_state_dict({**own, **state_of(path)}, strict=True)
    except RuntimeError as error:
        raise DataError(f"{path}: these weights are for another network: {error}") from None
    return module.eval().requires_grad_(False)


def device_of(runtime: Runtime) -> torch.device:
    """Where networks run; ConfigError where CUDA is asked for and there is none."""
    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: 'cuda' is asked for and torch finds none: choose auto or cpu")
    return torch.device("cpu" if runtime.device == "cpu" or not torch.cuda.is_available() else "cuda")


def without_batch_norm(layers: nn.Sequential) -> nn.Sequential:
    """The same layers with every normalisation that follows a convolution put into its weights."""
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and kept and isinstance(kept[-1], nn.Conv2d):
            kept[-1] = fuse_conv_bn_eval(kept[-1], layer)
        else:
            kept.append(layer)
    return nn.Sequential(*kept)
