"""Which folders and files are maps."""

from __future__ import annotations

from pathlib import Path

from ..run.packed import is_packed
from ..versions import MANIFEST


def is_map(path: str | Path) -> bool:
    """Whether a path is a packed map, the folder of a finished map, or of one that was begun."""
    folder = Path(path)
    return is_packed(folder) or (folder / MANIFEST).is_file() or any(folder.glob("*/store.json"))
