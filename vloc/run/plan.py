"""What a run will do, stage by stage, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import StoreError
from .identity import Identity, difference
from .store import Store, read_identity


@dataclass(frozen=True)
class PlanRow:
    """One stage of a run."""

    stage: str
    total: int
    """items"""
    todo: int
    """items that are not stored yet"""
    reason: str
    seconds: float | None = field(default=None, compare=False)
    """that these will take as far as is known, of a dry run; None where nothing is"""


def why(store: Store, total: int, todo: int, seen: Collection[str]) -> str:
    """The reason of a stage's work; stores in `seen` (folder names) serve this same run and explain nothing."""
    if not todo:
        return "up to date"
    if not store.is_empty:
        return f"{todo} of {total} items new or changed" if store.was_complete else f"resumed: {todo} of {total} left"
    before = _newest_other(store, seen)
    return difference(store.identity, before) if before else "new"


def _newest_other(store: Store, seen: Collection[str]) -> Identity | None:
    """The most recent store of the same stage, one of the same plugin if there is one."""
    others = []
    for about in store.folder.parent.glob(f"{store.identity.stage}-*/store.json"):
        if about.parent != store.folder and about.parent.name not in seen:
            try:
                others.append((about.stat().st_mtime_ns, read_identity(about.parent)))
            except StoreError:
                continue  # a broken store.json explains nothing; `vloc check` names it
    plugin = store.identity.settings.get("plugin")
    others.sort(key=lambda other: (other[1].settings.get("plugin") == plugin, other[0]))
    return others[-1][1] if others else None


def stores_in(root: Path) -> list[Path]:
    """The folders of stores, in order of their names."""
    return sorted(about.parent for about in root.glob("*/store.json"))
