"""`vloc restore MAP VERSION`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from ..map import Map
from ..publishing import publish
from ..run.workspace import Workspace
from ..versions import read_version
from . import options
from .main import OK
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class RestoreFlags:
    """Make an earlier version of a map the current one again, as a new version: nothing of its history is lost.

    Nothing is computed. `vloc show MAP` lists the versions; a later `vloc map` goes on from the one restored.
    """

    map: options.folder("MAP")  # type: ignore[valid-type]
    """folder of a finished map"""
    version: Annotated[int, tyro.conf.Positional, tyro.conf.arg(metavar="VERSION")]
    """number of the version"""
    json: options.Switch = False
    """print what came of it as JSON"""
    quiet: options.Switch = False
    """print nothing"""


def run(arguments: Sequence[str]) -> int:
    """Publish an earlier manifest."""
    flags = parse_flags("restore", RestoreFlags, arguments)
    Map.open(flags.map, flags.version)  # before a folder that is none of ours is written to
    with Workspace(flags.map, command=shlex.join(["vloc", "restore", *arguments])) as work:
        before, old = Map.open(flags.map).version, read_version(flags.map, flags.version)
        map_ = publish(work, old.manifest, restored=old.number, used=old.history.used)
    if flags.json:
        options.print_json({"map": str(flags.map), "restored": flags.version, "version": map_.version})
    elif not flags.quiet:
        same = f"is what version {flags.version} was: nothing to do"
        print(
            f"{flags.map}: version {map_.version} "
            + (same if map_.version == before else f"is the current one: version {flags.version} again")
        )
    return OK
