"""Settings in which what is imported says exactly what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .config import MappingConfig, plugin
from .data.capture import Capture
from .data.imported import Imported, completed
from .errors import ConfigError
from .features.imported import ImportedFeature
from .registry import to_text
from .stages.imported import local_type_of


def imports(config: MappingConfig) -> bool:
    """Whether anything in the settings is imported."""
    return isinstance(config.extract, ImportedFeature)


def told(config: MappingConfig) -> list[str]:
    """What is imported, and what it is matched by, for people."""
    feature = config.extract
    if not isinstance(feature, ImportedFeature):
        return []
    return [f"local features imported: {_named(feature)}, matched by {to_text(config.match)}"]


def _named(found: Imported) -> str:
    place = f" from {found.path}" if found.path else ""
    return f"'{found.type}' ({found.dims} {found.dtype}){place}"


def with_imports(settings: Mapping[str, Any], capture: Capture) -> dict[str, Any]:
    """Settings of a map with the type, dims and dtype of what is imported, as the capture has it; DataError without.

    A map keeps them, so that its queries are held to them.
    """
    made = dict(settings)
    if isinstance(feature := _made("extract", made.get("extract")), ImportedFeature):
        found = local_type_of(capture, feature := _absolute(feature))
        made["extract"] = completed(feature, found.name, found.descriptors)
    return made


def _made(stage: str, value: Any) -> Any:
    """The plugin of a setting; None where there is none, or only a table of the default's settings."""
    return None if value is None or isinstance(value, Mapping) else plugin(stage, value)


def _absolute(feature: ImportedFeature) -> ImportedFeature:
    """The same with a path that means the same wherever a later command is run."""
    if "," in feature.path:
        raise ConfigError(f"path '{feature.path}': a comma cannot be written in a map's settings: rename or link it")
    return replace(feature, path=str(Path(feature.path).absolute())) if feature.path else feature
