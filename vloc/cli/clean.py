"""`vloc clean FOLDER...`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..errors import DataError, VlocError
from ..run.cleaning import Unneeded, remove, unneeded, workspaces_in
from ..run.lock import FolderLock
from . import options
from .main import OK, WITH_FAILURES
from .needs import Needs, needs_of
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class CleanFlags:
    """What no version of a map and no results need any more, with sizes; removed with --remove alone.

    What a rerun of the command that made the current version finds again is needed, too. Folders in use by another run,
    and those of which something needed is missing, are left alone and named.
    """

    folders: Annotated[tuple[options.LocalPath, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER...")]
    """maps, folders of results, or folders that have such in them"""
    keep: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """versions of each map to keep, the newest; left out: all"""
    remove: options.Switch = False
    """remove it"""
    json: options.Switch = False
    """print the list as JSON"""


@dataclass(frozen=True)
class Cleaned:
    """What one folder holds that can go, or why it is left alone."""

    folder: Path
    needs: Needs = field(default_factory=Needs)
    what: Sequence[Unneeded] = ()
    left_alone: str = ""

    @property
    def num_bytes(self) -> int:
        """Of all that can go."""
        return sum(each.num_bytes for each in self.what)


def run(arguments: Sequence[str]) -> int:
    """List, and remove when told to."""
    flags = parse_flags("clean", CleanFlags, arguments)
    if flags.keep is not None and flags.keep < 1:
        raise DataError(f"--keep {flags.keep}: expected 1 or more: the current version is always kept")
    found = [clean(folder, flags.keep, really=flags.remove) for folder in _folders(flags.folders)]
    if flags.json:
        options.print_json([_facts(cleaned, flags.remove) for cleaned in found])
    else:
        print("\n".join(line for cleaned in found for line in _lines(cleaned)))
        print(_verdict(sum(cleaned.num_bytes for cleaned in found), removed=flags.remove))
    return WITH_FAILURES if any(cleaned.left_alone for cleaned in found) else OK


def _folders(given: Sequence[Path]) -> list[Path]:
    """The workspaces at or below these; DataError where one has none."""
    if not given:
        raise DataError("vloc clean: expected folders of maps or results, got none")
    found = {folder: workspaces_in(folder) for folder in given}
    if empty := [folder for folder, spaces in found.items() if not spaces]:
        raise DataError(f"{empty[0]}: neither a map nor a folder of results, and none in it")
    return sorted({space for spaces in found.values() for space in spaces})


def clean(folder: Path, keep: int | None, *, really: bool) -> Cleaned:
    """What can go from one folder, and its removal if that is meant."""
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except (VlocError, OSError) as error:
        return Cleaned(folder, left_alone=str(error))
    try:
        needs = needs_of(folder, keep)
        stores = unneeded(folder, needs.references)
        if really:
            remove(needs.outdated)  # first, so that nothing ever refers to what is gone
            remove(stores)
        return Cleaned(folder, needs, [*needs.outdated, *stores])
    except VlocError as error:
        return Cleaned(folder, left_alone=str(error))
    finally:
        lock.release()


def _lines(cleaned: Cleaned) -> Iterator[str]:
    if cleaned.left_alone:
        yield f"{cleaned.folder}: left alone: {cleaned.left_alone}"
        return
    yield f"{cleaned.folder}: kept for {', '.join(cleaned.needs.what) or 'nothing'}"
    for each in cleaned.what:
        yield f"  {each.num_bytes / 1e6:9.1f} MB  {each.path.relative_to(cleaned.folder)}"


def _verdict(num_bytes: int, *, removed: bool) -> str:
    size = f"{num_bytes / 1e6:.1f} MB"
    if not num_bytes:
        return "everything is needed"
    return f"removed {size}" if removed else f"{size} can go: --remove removes them"


def _facts(cleaned: Cleaned, removed: bool) -> dict[str, Any]:
    return {
        "folder": str(cleaned.folder),
        "left_alone": cleaned.left_alone,
        "kept_for": list(cleaned.needs.what),
        "unneeded": [{"path": str(each.path), "bytes": each.num_bytes} for each in cleaned.what],
        "bytes": cleaned.num_bytes,
        "removed": removed and not cleaned.left_alone,
    }
