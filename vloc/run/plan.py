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
    others, broken = _others(store, seen)
    reason = difference(store.identity, others[-1]) if others else "new"
    return "; ".join([reason, *(f"{folder}/store.json is broken and explains nothing" for folder in broken)])


def _others(store: Store, seen: Collection[str]) -> tuple[list[Identity], list[str]]:
    """The other stores of the stage by age, those of the same plugin last; and the folders that cannot be read."""
    others: list[tuple[int, Identity]] = []
    broken: list[str] = []
    for about in store.folder.parent.glob(f"{store.identity.stage}-*/store.json"):
        if about.parent != store.folder and about.parent.name not in seen:
            try:
                others.append((about.stat().st_mtime_ns, read_identity(about.parent)))
            except StoreError:
                broken.append(about.parent.name)
    plugin = store.identity.settings.get("plugin")
    others.sort(key=lambda other: (other[1].settings.get("plugin") == plugin, other[0]))
    return [identity for _, identity in others], sorted(broken)


def stores_in(root: Path) -> list[Path]:
    """The folders of stores, in order of their names."""
    return sorted(about.parent for about in root.glob("*/store.json"))
