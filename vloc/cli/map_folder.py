"""Which folders and files are maps."""

from __future__ import annotations

from pathlib import Path

from ..run.packed import is_packed
from ..run.remote import Location, located
from ..versions import MANIFEST


def is_map(path: str | Location) -> bool:
    """Whether a path is a packed map, the folder of a finished map, or of a begun one; whatever is at a URL is."""
    folder = located(path)
    if not isinstance(folder, Path):
        return True
    return is_packed(folder) or (folder / MANIFEST).is_file() or any(folder.glob("*/store.json"))
