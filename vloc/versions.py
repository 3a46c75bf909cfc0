"""What a map has been: a file for every version, `versions/0001.json` and so on, which is never changed again.

Each holds the manifest of that version, as `map.json` held it, and its history. `map.json` is the current one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from .errors import DataError
from .run.copies import AT_ONCE
from .run.remote import Location, Remote
from .run.workspace import read_manifest

MANIFEST = "map.json"
FOLDER = "versions"
_NAME = re.compile(r"\d{4,}\.json")


class ImageChanges(msgspec.Struct, frozen=True):
    """How many images of a map are not those of the version before."""

    added: int
    changed: int
    """of the same name, with other content"""
    removed: int


class History(msgspec.Struct, frozen=True):
    """How a version came to be."""

    made: str
    """when, UTC, ISO 8601; empty where nothing says it"""
    vloc: str = ""
    command: str = ""
    """as it was typed; empty where no command made it"""
    restored: int | None = None
    """the version that this one is again"""
    num_images: int | None = None
    num_points: int | None = None
    images: ImageChanges | None = None
    """against the version before; None where there is none, or it cannot be read"""
    settings: tuple[str, ...] = ()
    """those that are not as in the version before, old value and new"""
    used: tuple[str, ...] = ()
    """references to all results that the run gave or found, so those that a rerun finds again"""


msgspec.json.Decoder(History)  # msgspec takes types apart here, in one thread: see `run/shard.py`


@dataclass(frozen=True)
class Version:
    """A manifest, its number in the map's history, and how it came to be."""

    number: int
    manifest: Mapping[str, Any]
    history: History


def number_of(manifest: Mapping[str, Any]) -> int:
    """The version that a manifest is; maps that were made before there were versions are the first of theirs."""
    return int(manifest.get("version", 1))


def file_of(number: int) -> str:
    """The file of a version, in the map's folder."""
    return f"{FOLDER}/{number:04d}.json"


def references_of(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Every reference to results in a manifest."""
    for part in manifest.get("references", {}).values():
        yield from [part] if isinstance(part, str) else part


def numbers_in(folder: Location) -> list[int]:
    """The versions that have a file, in order."""
    if not isinstance(folder, Path):
        return _numbers_at(folder)
    return sorted(int(path.stem) for path in (folder / FOLDER).glob("*.json") if _NAME.fullmatch(path.name))


def _numbers_at(folder: Remote) -> list[int]:
    """Those of a map at a URL, where nothing is listed: none is newer than the current one."""
    numbers = range(1, number_of(read_manifest(folder / MANIFEST)) + 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = pool.map(lambda number: (folder / file_of(number)).exists(), numbers)
        return [number for number, is_there in zip(numbers, there, strict=True) if is_there]


def read_version(folder: Location, number: int) -> Version:
    """One version of the map in a folder; DataError where there is none of that number, StoreError where it is broken.

    The current one needs no file of its own: a map of an earlier vloc has none.
    """
    path = folder / file_of(number)
    if path.exists():
        manifest = read_manifest(path)
        try:
            history = msgspec.convert(manifest.pop("history", None), History)
        except msgspec.ValidationError as error:
            raise DataError(f"{path}: history: {error}; delete it to give this version up") from None
        return Version(number, manifest, history)
    current = _current(folder)
    if current is None or number != current.number:
        known = ", ".join(map(str, sorted({*numbers_in(folder), *([current.number] if current else [])})))
        raise DataError(f"{folder}: has no version {number}: choose from {known or 'none: it is no finished map'}")
    return current


def versions_of(folder: Location) -> Iterator[Version]:
    """Every version of a map, the oldest first."""
    current = _current(folder)
    numbers = {*numbers_in(folder), *([current.number] if current else [])}
    return (read_version(folder, number) for number in sorted(numbers))


def _current(folder: Location) -> Version | None:
    """What `map.json` says, with what is known of it without its file."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    manifest = read_manifest(path)
    made = _text(path.stat().st_mtime) if isinstance(path, Path) else ""
    return Version(number_of(manifest), manifest, History(made))


def is_same(manifest: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two manifests are one map, wherever its capture lies and whatever their numbers."""
    apart = {"version", "capture"}
    return {k: v for k, v in manifest.items() if k not in apart} == {k: v for k, v in other.items() if k not in apart}


def changed_settings(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a manifest that are not those of the one before."""
    after, before = dict(_flat(new.get("config", {}))), dict(_flat(old.get("config", {})))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(f"{name} {before.get(name, '(none)')} -> {after.get(name, '(none)')}" for name in names)


def now() -> str:
    """The time, as a history tells it."""
    return _text(datetime.now(UTC).timestamp())


def _text(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield name, ", ".join(map(str, value))
    else:
        yield name, str(value)
