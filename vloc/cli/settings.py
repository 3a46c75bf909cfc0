"""Flags made from configs: short ones, and every setting of every stage by its dotted name, or from a TOML file."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_type_hints

from ..config import REGISTRIES, SEVERAL, LocalizationConfig, MappingConfig, make_config
from ..errors import ConfigError
from ..formats.text_fields import read_bytes
from ..registry import configure
from ..stages.pair import PairMethod

A = TypeVar("A")
C = TypeVar("C", MappingConfig, LocalizationConfig)

STAGE_OF_FLAG = {
    "--features": "extract",
    "--retrieval": "describe",
    "--fusion": "fuse",
    "--matcher": "match",
    "--rerank": "reranking",
}
"""flags that choose a plugin"""
SHORT = {
    "--num-pairs": "--pair.num-pairs",
    "--min-quality": "--quality.min-quality",
    "--num-retrieved": "--retrieve.num-retrieved",
    "--sfm": "--sfm.method",
    "--fusion-weights": "--fuse.weights",
    "--upright": "--look.upright",
    "--depth": "--depth.use",
    "--view": "--view.use",
    "--points": "--points.source",
    "--rig": "--rig.use",
    "--sequence": "--sequence.use",
    "--causal": "--sequence.causal",
    "--odometry": "--sequence.odometry",
    **{f"--pairs={method}": f"--pair.method={method}" for method in get_args(PairMethod)},
}
"""other names of settings"""
PLAIN = {
    "paradigm": "what a query is placed by: the map's points, points of its retrieved images alone, their poses alone",
    "seed": "seed of every random choice",
}
"""settings of a story that are one value"""


def parse(
    command: str,
    flags: type[A],
    story: type[C],
    arguments: Sequence[str],
    reserved: Mapping[str, Any] | None = None,
    completed: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> tuple[A, C]:
    """The command's own flags and the story's config, from the command line over a TOML file over `reserved`.

    `completed`: what becomes of the chosen settings before single ones (dotted flags) are put over them.
    Ends the program with status 2 (or 0 for --help) as argparse does.
    """
    arguments = _long_names(arguments)
    file, unused = _from_file(story, _value_of("--config", arguments), reserved or {})
    if unused and "--quiet" not in arguments and completed is None:
        print(f"note: {', '.join(unused)} of --config: no settings of vloc {command}, not used", file=sys.stderr)
    chosen = _over({**(reserved or {}), **file}, _plugins(story, arguments))
    if preset := _value_of("--preset", arguments):
        chosen["preset"] = preset
    config = make_config(story, **(completed(chosen) if completed else chosen))
    made = _cli(command, _with_settings(flags, config, _mentioned(arguments, flags, story)), arguments)
    own = flags(**{f.name: getattr(made, f.name) for f in dataclasses.fields(flags)})  # type: ignore[arg-type]
    settings = {f.name: getattr(made, f.name) for f in dataclasses.fields(config) if hasattr(made, f.name)}
    return own, make_config(story, **{**_current(config), **_flat(settings)})


def _mentioned(arguments: Sequence[str], flags: type, story: type) -> set[str]:
    """The stages whose settings the arguments name: making flags of all of them takes longer than all other imports.

    All stages where help is asked for, or where a flag is unknown, which takes them to explain.
    """
    stages = {f.name for f in dataclasses.fields(story)}
    own = {f.name for f in dataclasses.fields(flags)} | {*PLAIN}
    named = [a.partition("=")[0].replace("-", "_").lstrip("_") for a in arguments if a.startswith("-")]
    heads = {name.partition(".")[0] for name in named if name not in own}
    return heads if heads <= stages else stages


def parse_flags(command: str, flags: type[A], arguments: Sequence[str]) -> A:
    """The flags of a command without a story."""
    return _cli(command, flags, arguments)


def _cli(command: str, flags: type[A], arguments: Sequence[str]) -> A:
    import tyro

    return tyro.cli(_plainly_typed(flags), args=list(arguments), prog=f"vloc {command}")


def _plainly_typed(flags: type[A]) -> type[A]:
    """The same flags with `Optional[X]` for `X | None`, whose default tyro 1.0 checks itself.

    For `X | None` it imports typeguard, which imports asyncio and ssl: a tenth of a command's start.
    """
    hints: dict[str, Any] = get_type_hints(flags, include_extras=True)
    unions = {name: Union[get_args(hint)] for name, hint in hints.items() if isinstance(hint, UnionType)}  # noqa: UP007
    return type(flags.__name__, (flags,), {"__annotations__": unions, "__doc__": flags.__doc__})


def _long_names(arguments: Sequence[str]) -> list[str]:
    """The same arguments with other names of settings written out."""
    text = list(arguments)
    for i, argument in enumerate(text[:-1]):
        if argument == "--pairs":
            text[i : i + 2] = [f"--pairs={text[i + 1]}"]
    names = [argument.partition("=") for argument in text]
    return [
        SHORT.get(argument) or SHORT.get(name.replace("_", "-"), name) + equals + value
        for argument, (name, equals, value) in zip(text, names, strict=True)
    ]


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """The first value of a flag, before tyro reads the rest."""
    values = _values_of(flag, arguments)
    return values[0] if values else None


def _values_of(flag: str, arguments: Sequence[str]) -> list[str]:
    for i, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return [argument.partition("=")[2]]
        if argument == flag:
            rest = list(arguments[i + 1 :])
            stops = [k for k, other in enumerate(rest) if other.startswith("--")]
            return rest[: stops[0]] if stops else rest
    return []


def _plugins(story: type, arguments: Sequence[str]) -> dict[str, Any]:
    """The plugins that flags choose, by stage."""
    known = {f.name for f in dataclasses.fields(story)}
    chosen: dict[str, Any] = {}
    for flag, stage in STAGE_OF_FLAG.items():
        values = _values_of(flag, arguments)
        if not values and flag in arguments:
            raise ConfigError(
                f"{flag}: expected a name, got nothing: choose from {', '.join(REGISTRIES[stage].names())}"
            )
        if values and stage in known:
            chosen[stage] = values if stage in SEVERAL else values[0]
    return chosen


def _over(file: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Plugins chosen by flags over a file's settings; a table of settings in the file stays where a flag says none."""
    merged = {**file, **chosen}
    for stage, table in file.items():
        if isinstance(table, Mapping) and isinstance(chosen.get(stage), str):
            merged[stage] = REGISTRIES[stage].parse(chosen[stage], table)
    return merged


def _from_file(story: type[C], path: str | None, reserved: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Settings of a TOML file: `extract = "sift"`, or tables such as `[match]` with single settings over `reserved`.

    Also the names of those that only the other story has: one file serves both. All of them are checked.
    """
    if path is None:
        return {}, []
    other = MappingConfig if story is LocalizationConfig else LocalizationConfig
    try:
        settings = tomllib.loads(read_bytes(Path(path)).decode())
        unused = sorted((settings.keys() & _fields(other)) - _fields(story))
        own = {name: _onto(name, reserved, value) for name, value in settings.items() if name not in unused}
        make_config(story, **own)
        make_config(other, **{name: settings[name] for name in unused})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return own, unused


def _fields(config: type) -> set[str]:
    return {f.name for f in dataclasses.fields(config)}


def _onto(stage: str, reserved: Mapping[str, Any], value: Any) -> Any:
    """A table of settings over the plugin that is reserved for its stage; any other value as it is."""
    if not (isinstance(value, Mapping) and stage in reserved):
        return value
    plugin = REGISTRIES[stage].parse(reserved[stage])
    return configure(type(plugin), {**_current(plugin), **value}, stage)


def _with_settings(flags: type[A], config: MappingConfig | LocalizationConfig, stages: Collection[str]) -> type[A]:
    """The flags' dataclass with one group of dotted flags for each of the stages, and those of one value."""
    import tyro

    groups: list[tuple[str, Any, Any]] = []
    hints: Any = get_type_hints(type(config), include_extras=True)
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        if f.name in SEVERAL:
            value = _group(f.name.capitalize(), _numbered(value))
        if f.name in stages and dataclasses.is_dataclass(value):
            groups.append((f.name, type(value), dataclasses.field(default=value)))
        if f.name in PLAIN:
            groups.append((f.name, Annotated[hints[f.name], tyro.conf.arg(help=PLAIN[f.name])], value))
    made = dataclasses.make_dataclass(flags.__name__, groups, bases=(flags,), frozen=True, kw_only=True)
    made.__doc__ = flags.__doc__
    return made


def _numbered(plugins: Sequence[Any]) -> dict[str, Any]:
    """Plugins by their names; of several with one name the second is `NAME_2`."""
    named: dict[str, Any] = {}
    for made in plugins:
        count = sum(other.plugin_name == made.plugin_name for other in named.values())
        named[f"{made.plugin_name}_{count + 1}" if count else made.plugin_name] = made
    return named


def _group(name: str, items: Mapping[str, Any]) -> Any:
    fields = [(key, type(value), dataclasses.field(default=value)) for key, value in items.items()]
    return dataclasses.make_dataclass(name, fields, frozen=True)()


def _current(config: object) -> dict[str, Any]:
    return {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}  # type: ignore[arg-type]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Groups of several plugins back to tuples of them."""
    return {name: tuple(_current(value).values()) if name in SEVERAL else value for name, value in settings.items()}
