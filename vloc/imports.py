"""Settings in which what is imported says exactly what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .config import MappingConfig, plugin
from .data.capture import Capture
from .data.imported import Imported, completed
from .errors import ConfigError
from .features.imported import ImportedFeature
from .registry import to_text
from .retrieval.imported import ImportedDescriptor
from .stages.imported import global_type_of, local_type_of

I = TypeVar("I", bound=Imported)  # noqa: E741 - imported settings


def imports(config: MappingConfig) -> bool:
    """Whether anything in the settings is imported."""
    return any(isinstance(made, Imported) for made in (config.extract, *config.describe))


def told(config: MappingConfig) -> list[str]:
    """What is imported, and what local features are matched by, for people."""
    feature, lines = config.extract, []
    if isinstance(feature, ImportedFeature):
        lines.append(f"local features imported: {_named(feature)}, matched by {to_text(config.match)}")
    wholes = [descriptor for descriptor in config.describe if isinstance(descriptor, ImportedDescriptor)]
    return [*lines, *(f"global descriptors imported: {_named(descriptor)}" for descriptor in wholes)]


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
    if not isinstance(made.get("describe", {}), Mapping):
        values = [made["describe"]] if isinstance(made["describe"], str) else made["describe"]
        made["describe"] = [_whole(plugin("describe", value), capture) for value in values]
    return made


def _whole(descriptor: Any, capture: Capture) -> Any:
    if not isinstance(descriptor, ImportedDescriptor):
        return descriptor
    return completed(descriptor := _absolute(descriptor), *global_type_of(capture, descriptor))


def _made(stage: str, value: Any) -> Any:
    """The plugin of a setting; None where there is none, or only a table of the default's settings."""
    return None if value is None or isinstance(value, Mapping) else plugin(stage, value)


def _absolute(wanted: I) -> I:
    """The same with a path that means the same wherever a later command is run."""
    if "," in wanted.path:
        raise ConfigError(f"path '{wanted.path}': a comma cannot be written in a map's settings: rename or link it")
    return replace(wanted, path=str(Path(wanted.path).absolute())) if wanted.path else wanted
