"""How a map gets a new version: it is whole on disk and opens before `map.json` says that it is the current one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from . import __version__
from .data.features import LocalFeatures
from .errors import VlocError
from .map import Map
from .run.store import open_results
from .run.workspace import Workspace
from .versions import (
    MANIFEST,
    History,
    ImageChanges,
    Version,
    changed_settings,
    file_of,
    is_same,
    now,
    number_of,
    numbers_in,
    read_version,
)


def publish(
    work: Workspace, manifest: Mapping[str, Any], *, restored: int | None = None, used: Sequence[str] | None = None
) -> Map:
    """Make a manifest the current version of a workspace's map: a new one, unless it is the same map as that.

    `used`: references to what a rerun of it finds again, where those are not what this run used. A version that was
    written and did not become the current one, because the run was killed between, becomes it now if it is the same.
    """
    work.end_plan()
    before = _current(work)
    read_back = msgspec.json.decode(msgspec.json.encode(manifest))  # tuples are lists in a file
    number = _number(work, read_back, before)
    current = {**read_back, "version": number}
    map_ = Map.of(work.folder, current)
    if before is not None and number != before.number:
        _write(work, before)
    made = _history(work, map_, before, restored, work.used if used is None else used)
    _write(work, Version(number, current, made))
    if before is None or current != before.manifest:
        work.publish(MANIFEST, current)
    return map_


def _current(work: Workspace) -> Version | None:
    """The version that stands, if one can be read."""
    try:
        manifest = Map.open(work.folder).manifest
        return replace(read_version(work.folder, number_of(manifest)), manifest=manifest)
    except VlocError:
        return None


def _number(work: Workspace, manifest: Mapping[str, Any], before: Version | None) -> int:
    """That of the current version, or of the newest one, where it is the same map; else the next."""
    if before is not None and is_same(manifest, before.manifest):
        return before.number
    newest = max([*numbers_in(work.folder), before.number if before else 0])
    try:
        unused = before is None or newest > before.number
        return newest + (not (unused and is_same(manifest, read_version(work.folder, newest).manifest)))
    except VlocError:
        return newest + 1


def _write(work: Workspace, version: Version) -> None:
    """The file of a version, unless it is there."""
    file = file_of(version.number)
    if not (work.folder / file).exists():
        history = msgspec.to_builtins(version.history)
        work.publish(file, {**version.manifest, "version": version.number, "history": history})


def _history(work: Workspace, map_: Map, before: Version | None, restored: int | None, used: Sequence[str]) -> History:
    """How a version came to be that is made now, or was before there were versions."""
    same = before is not None and before.number == map_.version
    return History(
        made=before.history.made if before is not None and same else now(),
        vloc=__version__,
        command=work.command,
        restored=restored,
        num_images=len(map_.sparse.image_names),
        num_points=len(map_.sparse.points),
        images=None if before is None or same else _image_changes(work, map_, before),
        settings=() if before is None or same else changed_settings(map_.manifest, before.manifest),
        used=tuple(used),
    )


def _image_changes(work: Workspace, map_: Map, before: Version) -> ImageChanges | None:
    try:
        old, new = _contents(Map.of(work.folder, before.manifest)), _contents(map_)
    except VlocError:  # of a format that this vloc does not read, or broken: the map itself is not
        return None
    changed = sum(old[name] != new[name] for name in old.keys() & new.keys())
    return ImageChanges(len(new.keys() - old.keys()), changed, len(old.keys() - new.keys()))


def _contents(map_: Map) -> dict[str, str]:
    """Image -> what changes with what its features are of, for all images that can be in the map."""
    features = open_results(map_.folder, map_.manifest["references"]["features"], LocalFeatures)
    return {str(name): features.mark_of(name) for name in map_.descriptors[0]}
