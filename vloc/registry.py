"""A name -> plugin table: one way to do one step is a frozen dataclass of settings that can `load()`.

The one written form of a plugin is `name:key=value,...`: in flags, manifests and folder names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec

from .errors import ConfigError

Time = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""a setting in the unit of timestamps, which is often the nanosecond"""
LARGEST = 1e9
"""no setting is larger: this refuses infinity, NaN and slips of the keyboard"""
P = TypeVar("P")
T = TypeVar("T")


class Registry(Generic[P]):
    """The plugins of one kind, by name. Third parties add theirs under the entry point group `vloc.KIND`.

    `homes`: the modules of our own that are imported when their plugin is asked for, by its name.
    """

    def __init__(self, kind: str, homes: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._homes = homes or {}
        self._classes: dict[str, type[P]] = {}
        self._entry_points_loaded = False

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator: make the class known as `name`."""

        def add(cls: type[T]) -> type[T]:
            if name in self._classes:
                raise ConfigError(f"{self.kind} '{name}' is registered twice: {self._classes[name]} and {cls}")
            cls.plugin_name = name  # type: ignore[attr-defined]
            self._classes[name] = cls  # type: ignore[assignment]
            return cls

        return add

    def names(self) -> list[str]:
        """Every known name, sorted."""
        self._load_entry_points()
        return sorted({*self._classes, *self._homes})

    def __iter__(self) -> Iterator[type[P]]:
        return map(self.get, self.names())

    def get(self, name: str) -> type[P]:
        """The class of that name; ConfigError lists the choices."""
        if name not in self._classes and name in self._homes:
            import_module(self._homes[name])
        if name not in self._classes:
            self._load_entry_points()
        if name not in self._classes:
            raise ConfigError(f"unknown {self.kind} '{name}': choose from {', '.join(self.names())}")
        return self._classes[name]

    def parse(self, text: str, defaults: Mapping[str, Any] | None = None) -> P:
        """`name:key=value,...` as a plugin, over `defaults`; unknown keys and values out of range are errors."""
        name, _, settings = text.partition(":")
        cls = self.get(name.strip())
        pairs = [item.partition("=") for item in settings.split(",") if item.strip()]
        for key, equals, _ in pairs:
            if not equals:
                raise ConfigError(f"{self.kind} '{text}': expected key=value, got '{key}'")
        written = {key.strip(): value.strip() for key, _, value in pairs}
        return configure(cls, {**(defaults or {}), **written}, where=name)

    def _load_entry_points(self) -> None:
        if not self._entry_points_loaded:
            self._entry_points_loaded = True
            from importlib.metadata import entry_points

            for point in entry_points(group=f"vloc.{self.kind}"):
                point.load()


def configure(cls: type[P], settings: Mapping[str, Any], where: str) -> P:
    """Build a settings dataclass from (possibly textual) values, checked against its types and bounds."""
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in settings:
        if key not in known:
            raise ConfigError(f"{where}: unknown setting '{key}': choose from {', '.join(known) or '(none)'}")
    checked = {
        key: validated(value, f"{where}.{key}") if _is_settings(value) else value for key, value in settings.items()
    }
    try:
        made = msgspec.convert(checked, cls, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_told(str(error), settings, where)) from None
    for key in known:
        value = getattr(made, key)
        if isinstance(value, int | float) and not abs(value) <= LARGEST and not _has_bound(cls, key):
            raise ConfigError(f"{where}.{key}: expected a number of at most {LARGEST:.0e}, got {value}")
    return made


def _has_bound(cls: type, key: str) -> bool:
    """Whether a setting says itself how large it may be, as times do, which msgspec has checked."""
    marks = getattr(get_type_hints(cls, include_extras=True)[key], "__metadata__", ())
    return any(getattr(mark, "le", None) is not None or getattr(mark, "lt", None) is not None for mark in marks)


def _is_settings(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _told(message: str, settings: Mapping[str, Any], where: str) -> str:
    """msgspec's message with the setting and its value in front."""
    what, _, place = message.partition(" - at `$.")
    key = place.split(".")[0].split("[")[0].rstrip("`")
    return f"{where}.{key}: {what}, got {settings[key]!r}" if key in settings else f"{where}: {message}"


def validated(settings: P, where: str) -> P:
    """The same settings, after the same checks that text goes through."""
    values = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}  # type: ignore[arg-type]
    return configure(type(settings), values, where)


def to_text(plugin: object) -> str:
    """The written form of a plugin: every setting that differs from its default, in the order of declaration."""
    changed = [
        f"{f.name}={getattr(plugin, f.name)}"
        for f in dataclasses.fields(plugin)  # type: ignore[arg-type]
        if getattr(plugin, f.name) != f.default
    ]
    name: str = plugin.plugin_name  # type: ignore[attr-defined]
    return f"{name}:{','.join(changed)}" if changed else name
