"""Which folders are maps, and where a map's images came from."""

from __future__ import annotations

from pathlib import Path

from ..data.capture import Capture
from ..errors import VlocError
from ..formats.access import read
from ..map import MANIFEST, Map


def is_map(path: str | Path) -> bool:
    """Whether a path is the folder of a finished map, or of one that was begun."""
    folder = Path(path)
    return (folder / MANIFEST).is_file() or any(folder.glob("*/store.json"))


def source_of(map_: Map) -> Capture | None:
    """The capture that a map was made from, or None where it is no longer to be read or was never written down."""
    about = map_.manifest.get("capture", {})
    try:
        return read(about["location"], **{name: about[name] for name in ("pixel_center", "images", "camera")})
    except (KeyError, VlocError):
        return None
