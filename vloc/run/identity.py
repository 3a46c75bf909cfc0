"""What a store's results depend on, as one key and as text that says why another run cannot reuse them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from .. import __version__
from ..stage import Context, EachStage, OnceStage
from .fingerprint import fingerprint, settings_of
from .shard import FORMAT

Plain = str | int | float | bool | None


class Identity(msgspec.Struct, frozen=True):
    """A stage with its settings and inputs: the content of `store.json`."""

    stage: str
    version: int
    settings: dict[str, Plain]
    """dotted name -> value; a plugin stands with its registered name"""
    context: list[tuple[str, str]]
    """name and fingerprint of every input that is common to all items"""
    key: str
    """fingerprint of all the above"""
    vloc: str
    """version of vloc that made the store; not part of the key: that is what the stage's own version is for"""

    @property
    def folder(self) -> str:
        """The name of the store's folder."""
        return f"{self.stage}-{self.key[:16]}"


def identify(stage: EachStage[Any, Any] | OnceStage[Any], settings: object, context: Sequence[Context]) -> Identity:
    """The identity of the results that a stage would give."""
    marks = [value.fingerprint for value in context]
    inputs = list(zip(_input_names(stage, len(marks)), marks, strict=True))
    key = fingerprint(FORMAT, stage.name, stage.version, settings, marks)
    return Identity(stage.name, stage.version, dict(_flat(settings)), inputs, key, __version__)


def difference(new: Identity, old: Identity) -> str:
    """Why results of `old` do not serve `new`, for people."""
    if new.version != old.version:
        return f"stage version {old.version} -> {new.version}"
    names = [name for name in {**old.settings, **new.settings} if _setting(old, name) != _setting(new, name)]
    settings = [f"{name} {_setting(old, name)} -> {_setting(new, name)}" for name in names]
    inputs = [name for name, mark in new.context if (name, mark) not in old.context]
    reasons = [f"changed setting: {', '.join(settings)}"] if settings else []
    reasons += [f"inputs changed: {', '.join(inputs)}"] if inputs else []
    return "; ".join(reasons) or "new"


def differs_only_in(new: Identity, old: Identity, names: Sequence[str]) -> bool:
    """Whether nothing but the inputs of those names, which both have, are others."""
    same = new.stage == old.stage and new.version == old.version and new.settings == old.settings
    inputs = [dict(identity.context) for identity in (new, old)]
    known = all(parts.pop(name, None) is not None for parts in inputs for name in names)
    return same and known and inputs[0] == inputs[1]


def _input_names(stage: EachStage[Any, Any] | OnceStage[Any], count: int) -> list[str]:
    """What the stage itself calls its common inputs: the last parameters of its function."""
    function = stage.start if isinstance(stage, EachStage) else stage.run
    names = [*inspect.signature(function).parameters][2:][-count:] if count else []
    return names if len(names) == count else [f"input {place + 1}" for place in range(count)]


def _setting(identity: Identity, name: str) -> str:
    return str(identity.settings.get(name, "(none)"))


def _flat(value: object, name: str = "") -> list[tuple[str, Plain]]:
    """Nested settings as (dotted name, value) rows."""
    match value:
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = settings_of(value)
            plugin = getattr(value, "plugin_name", None)
            return ([(name or "plugin", plugin)] if plugin else []) + _flat_parts(parts, name)
        case Mapping():
            return _flat_parts(value, name)
        case tuple() | list():
            return _flat_parts({str(place): part for place, part in enumerate(value)}, name)
        case np.ndarray():
            return [(name, f"array {value.shape} {fingerprint(value)}")]
        case None | str() | bool() | int() | float():
            return [(name, value)] if name or value is not None else []
        case _:
            return [(name, str(value))]


def _flat_parts(parts: Mapping[str, object], name: str) -> list[tuple[str, Plain]]:
    return [row for key, part in parts.items() for row in _flat(part, f"{name}.{key}" if name else key)]
