"""Which folders are maps."""

from __future__ import annotations

from pathlib import Path

from ..map import MANIFEST


def is_map(path: str | Path) -> bool:
    """Whether a path is the folder of a finished map, or of one that was begun."""
    folder = Path(path)
    return (folder / MANIFEST).is_file() or any(folder.glob("*/store.json"))
