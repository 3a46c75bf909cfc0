"""The capture that a map was made from."""

from __future__ import annotations

from pathlib import Path

from .data.capture import Capture
from .errors import DataError, VlocError
from .formats.access import path_seen_from, read, seen_from
from .map import Map

READ_AS = "pixel_center", "images", "camera"
"""what a manifest keeps of how a capture was read"""


def source_of(map_: Map) -> Capture | None:
    """The capture that a map was made from, or None where it is no longer to be read or was never written down."""
    try:
        return _read(map_)
    except VlocError:
        return None


def photos_behind(map_: Map) -> Capture:
    """The capture that a map was made from, with its photos; DataError where they are not to be found."""
    try:
        source = _read(map_)
        if source.files is None:
            raise DataError("its capture has no image files")
    except VlocError as error:
        raise DataError(
            f"{map_.folder}: queries are compared with the map's own photos, and {error}: run `vloc map` again on its "
            "capture where it lies now"
        ) from None
    return source


def _read(map_: Map) -> Capture:
    about = map_.manifest.get("capture", {})
    if not about.keys() >= {"location", *READ_AS}:
        raise DataError("the map does not say where they are")
    folder, options = Path(about.get("folder") or ""), {name: about[name] for name in READ_AS}
    if not path_seen_from(folder, about["location"]).exists():
        folder = Path()  # the place moved as a whole, or the map was made before its folder was kept
    images = None if options["images"] is None else folder / options["images"]
    return read(seen_from(folder, about["location"]), **{**options, "images": images})


def place_of(location: str) -> dict[str, str]:
    """What a manifest keeps of where a capture lies: as it was given, and the folder in which it was."""
    return {"location": location, "folder": str(Path.cwd())}
