"""Checkpoints into modules that are ready to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


def checkpoint_of(path: Path, more_harmless: Sequence[Any] = ()) -> Any:
    """What a `.pt` or `.pth` file holds, read without running code from it; `more_harmless` types may be in it too."""
    try:
        with torch.serialization.safe_globals([*HARMLESS, *more_harmless]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: not a checkpoint that can be read safely ({reason})") from None


def state_in(checkpoint: Any, path: Path, under: str = "state_dict") -> dict[str, Tensor]:
    """The state dict that a checkpoint is or has under that name."""
    state = checkpoint.get(under, checkpoint) if isinstance(checkpoint, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path}: expected a dictionary of tensors, or one under '{under}'")
    return {key.removeprefix(COMMON_PREFIX): value for key, value in state.items()}


def state_of(path: Path) -> dict[str, Tensor]:
    """The state dict of a `.pt` or `.pth` file."""
    return state_in(checkpoint_of(path), path)


def load_into(module: Module, path: Path, but: Collection[str] = ()) -> Module:
    """The module with the weights of a file, every one of them and no others; `but`: keys that the file may lack."""
    return filled(module, state_of(path), path, but)


def filled(module: Module, state: Mapping[str, Tensor], path: Path, but: Collection[str] = ()) -> Module:
    """The module with the weights of a state dict, as `load_into`; `path` is where they are from, for errors."""
    own = {key: value for key, value in module.state_dict().items() if key in but}
    try:
        module.load_state_dict({**own, **state}, strict=True)
    except RuntimeError as error:
        raise DataError(f"{path}: these weights are for another network: {error}") from None
    return module.eval().requires_grad_(False)


def device_of(runtime: Runtime) -> torch.device:
    """Where networks run; ConfigError where CUDA is asked for and there is none."""
    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: 'cuda' is asked for and torch finds none: choose auto or cpu")
    return torch.device("cpu" if runtime.device == "cpu" or not torch.cuda.is_available() else "cuda")


def without_batch_norm(module: Module) -> Module:
    """The same module with every normalisation that stands behind a convolution put into its weights, at all depths.

    It is changed in place. What stands behind one another has to be run one after another.
    """
    before: tuple[str, nn.Module] = ("", module)
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        before = name, without_batch_norm(child)
    return module


def ready(module: Module, runtime: Runtime) -> Module:
    """A loaded module of convolutions on its device, as it runs fastest there."""
    return without_batch_norm(module).to(device_of(runtime), memory_format=torch.channels_last)
