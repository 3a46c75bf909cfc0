"""What nothing needs any more in a folder of stores, and its removal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError
from .store import shards_of

_STORE = re.compile(r"[a-z_-]+-[0-9a-f]{16}")


@dataclass(frozen=True)
class Unneeded:
    """A store (its folder), or a file of one."""

    path: Path
    num_bytes: int


def workspaces_in(root: Path) -> list[Path]:
    """A folder and those below it that hold stores, in order of their names."""
    return sorted({about.parent.parent for about in root.rglob("store.json")})


def unneeded(root: Path, needed: Collection[str]) -> list[Unneeded]:
    """Stores, and sets and shards in the others, of which no result in `needed` (references) is made.

    StoreError where one of those is not there or broken: then nothing can be said of anything.
    """
    sets = defaultdict[str, set[str]](set)
    for reference in needed:
        name, _, mark = reference.partition("/")
        sets[name].add(mark)
    if lost := [name for name in sets if not (root / name / "store.json").is_file()]:
        raise StoreError(f"{root / min(lost)}: missing, and a kept version or result needs it: `vloc check` tells more")
    stores = [path for path in sorted(root.iterdir()) if path.is_dir() and _STORE.fullmatch(path.name)]
    found = list[Unneeded]()
    for store in stores:
        found += _in_store(store, sets[store.name]) if store.name in sets else [Unneeded(store, _size(store))]
    return found


def _in_store(store: Path, marks: Collection[str]) -> Iterator[Unneeded]:
    """The files of a store that none of its sets of those marks is made of."""
    kept = {"store.json", *(f"set-{mark}.json" for mark in marks)}
    for mark in marks:
        kept |= shards_of(store, mark)
    if lost := sorted(name for name in kept if not (store / name).is_file()):
        raise StoreError(f"{store / lost[0]}: missing, and a kept version or result needs it: `vloc check` tells more")
    others = [path for path in sorted(store.iterdir()) if path.name not in kept]
    return (Unneeded(path, path.stat().st_size) for path in others if path.suffix in (".json", ".h5"))


def remove(what: Sequence[Unneeded]) -> None:
    """Remove these; a kill between leaves sets that are whole, and shards that a rerun may find."""
    files = [file for each in what for file in (sorted(each.path.iterdir()) if each.path.is_dir() else [each.path])]
    for file in sorted(files, key=_order):
        file.unlink(missing_ok=True)
    for each in what:
        if each.path.is_dir():
            each.path.rmdir()


def _order(file: Path) -> int:
    """Sets go before what they are made of, and what names a store goes last."""
    return 0 if file.name.startswith("set-") else 2 if file.name == "store.json" else 1


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
