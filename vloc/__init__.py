"""vloc: where was this photo taken, to the centimetre."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import build_map as build_map
    from .api import localize as localize
    from .api import read as read
    from .api import write as write
    from .config import LocalizationConfig as LocalizationConfig
    from .config import MappingConfig as MappingConfig
    from .data.capture import Capture as Capture
    from .data.capture import Sensor as Sensor
    from .data.estimate import PoseEstimate as PoseEstimate
    from .data.sparse_map import SparseMap as SparseMap
    from .errors import (
        ConfigError as ConfigError,
    )
    from .errors import (
        DataError as DataError,
    )
    from .errors import (
        StageError as StageError,
    )
    from .errors import (
        VlocError as VlocError,
    )
    from .geometry.camera import Camera as Camera
    from .geometry.rigid import Rigid as Rigid
    from .known_cameras import camera_of as camera_of
    from .localizer import Localizer as Localizer
    from .map import Map as Map
    from .packing import pack as pack
    from .runtime import Runtime as Runtime
    from .stages.evaluate import Evaluation as Evaluation
    from .stages.evaluate import evaluate as evaluate
    from .stages.evaluate_retrieval import evaluate_retrieval as evaluate_retrieval
    from .tracker import Tracked as Tracked
    from .tracker import Tracker as Tracker

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
    "Sensor": "data.capture",
    "SparseMap": "data.sparse_map",
    "StageError": "errors",
    "Tracked": "tracker",
    "Tracker": "tracker",
    "VlocError": "errors",
    "build_map": "api",
    "camera_of": "known_cameras",
    "evaluate": "stages.evaluate",
    "evaluate_retrieval": "stages.evaluate_retrieval",
    "localize": "api",
    "pack": "packing",
    "read": "api",
    "write": "api",
}

__all__ = [
    "Camera",
    "Capture",
    "ConfigError",
    "DataError",
    "Evaluation",
    "LocalizationConfig",
    "Localizer",
    "Map",
    "MappingConfig",
    "PoseEstimate",
    "Rigid",
    "Runtime",
    "Sensor",
    "SparseMap",
    "StageError",
    "Tracked",
    "Tracker",
    "VlocError",
    "build_map",
    "camera_of",
    "evaluate",
    "evaluate_retrieval",
    "localize",
    "pack",
    "read",
    "write",
]
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
