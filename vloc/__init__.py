"""vloc: where was this photo taken, to the centimetre."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import build_map, localize, read, write
    from .config import LocalizationConfig, MappingConfig
    from .data.capture import Capture
    from .data.estimate import PoseEstimate
    from .data.sparse_map import SparseMap
    from .errors import ConfigError, DataError, StageError, VlocError
    from .stages.evaluate import Evaluation, evaluate
    from .geometry.camera import Camera
    from .geometry.rigid import Rigid
    from .localizer import Localizer
    from .map import Map
    from .runtime import Runtime

_HOME = {
    "Camera": "geometry.camera",
    "Capture": "data.capture",
    "ConfigError": "errors",
    "DataError": "errors",
    "Evaluation": "stages.evaluate",
    "LocalizationConfig": "config",
    "Localizer": "localizer",
    "Map": "map",
    "MappingConfig": "config",
    "PoseEstimate": "data.estimate",
    "Rigid": "geometry.rigid",
    "Runtime": "runtime",
    "SparseMap": "data.sparse_map",
    "StageError": "errors",
    "VlocError": "errors",
    "build_map": "api",
    "evaluate": "stages.evaluate",
    "localize": "api",
    "read": "api",
    "write": "api",
}

__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that `import vloc` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'vloc' has no attribute '{name}'")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
