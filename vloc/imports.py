"""Settings in which what is imported says exactly what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .config import MappingConfig, plugin
from .data.capture import Capture
from .data.imported import Imported, completed
from .errors import ConfigError
from .features.imported import ImportedFeature
from .matching import MATCHERS
from .matching.imported import ImportedMatcher
from .matching.nearest_neighbour import NearestNeighbour
from .registry import to_text
from .retrieval.imported import ImportedDescriptor
from .stages.import_matches import matched_type_of
from .stages.imported import global_type_of, local_type_of

I = TypeVar("I", bound="Imported | ImportedMatcher")  # noqa: E741 - imported settings


HLOC = "hloc"
"""the format that is nothing but features and matches, which are taken without being asked for"""


def imports(config: MappingConfig, capture: Capture) -> bool:
    """Whether anything is imported: by the settings, or because the capture is there for that."""
    chosen = (config.extract, *config.describe, config.match)
    return capture.format == HLOC or any(isinstance(made, Imported | ImportedMatcher) for made in chosen)


def told(config: MappingConfig) -> list[str]:
    """What is imported, and what local features are matched by, for people."""
    feature, lines = config.extract, []
    if isinstance(feature, ImportedFeature):
        lines.append(f"local features imported: {_named(feature)}, matched by {to_text(config.match)}")
    wholes = [descriptor for descriptor in config.describe if isinstance(descriptor, ImportedDescriptor)]
    if isinstance(config.match, ImportedMatcher):
        place = f" from {config.match.path}" if config.match.path else ""
        lines[-1:] = [lines[-1].partition(", matched")[0], f"matches imported: of '{config.match.type}'{place}"]
    return [*lines, *(f"global descriptors imported: {_named(descriptor)}" for descriptor in wholes)]


def _named(found: Imported) -> str:
    place = f" from {found.path}" if found.path else ""
    return f"'{found.type}' ({found.dims} {found.dtype}){place}"


def with_imports(settings: Mapping[str, Any], capture: Capture) -> dict[str, Any]:
    """Settings of a map with the type, dims and dtype of what is imported, as the capture has it; DataError without.

    A map keeps them, so that its queries are held to them.
    """
    made = {**_of_hloc(capture, settings), **settings}
    matcher = _made("match", made.get("match"))
    if isinstance(feature := _made("extract", made.get("extract")), ImportedFeature):
        found = local_type_of(capture, feature := _absolute(feature))
        made["extract"] = feature = completed(feature, found.name, found.descriptors)
        if isinstance(matcher, ImportedMatcher):
            made["match"] = _matches(matcher, feature, found.descriptors.keypoints_type, capture)
    elif isinstance(matcher, ImportedMatcher):
        raise ConfigError("matcher 'imported': its matches count imported keypoints: say --features imported, too")
    if isinstance(values := made.get("describe"), Sequence):  # anything else is refused with the other settings
        named = [values] if isinstance(values, str) else values
        made["describe"] = [_whole(plugin("describe", value), capture) for value in named]
    return made


def _of_hloc(capture: Capture, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder of hloc brings, as settings that are not made otherwise."""
    work = capture.reconstruction
    if capture.format != HLOC or work is None:
        return {}
    made: dict[str, Any] = {}
    if work.descriptors and "extract" not in settings:
        made["extract"] = "imported"
        made |= {"match": "imported"} if work.matches else {}
    if work.global_features:
        made["describe"] = [f"imported:type={name}" for name in work.global_features]
    return made


def _matches(matcher: ImportedMatcher, feature: ImportedFeature, keypoints: str, capture: Capture) -> ImportedMatcher:
    """The matcher with the type of the matches, which are of these keypoints, and the ratio for queries."""
    matcher = _absolute(matcher)
    if not matcher.path:
        matcher = replace(matcher, type=matcher.type or keypoints)
    name, _ = matched_type_of(capture, matcher)
    if not matcher.path and name != keypoints:
        raise ConfigError(f"matcher 'imported': matches of keypoints '{name}', but the imported ones are '{keypoints}'")
    usual = MATCHERS.parse(feature.matcher)
    ratio = matcher.ratio or (usual.ratio if isinstance(usual, NearestNeighbour) else 1.0)
    return replace(matcher, type=name, ratio=ratio)


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
