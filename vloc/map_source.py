"""The capture that a map was made from."""

from __future__ import annotations

from .data.capture import Capture
from .errors import DataError, VlocError
from .formats.access import read
from .map import Map


def source_of(map_: Map) -> Capture | None:
    """The capture that a map was made from, or None where it is no longer to be read or was never written down."""
    about = map_.manifest.get("capture", {})
    try:
        return read(about["location"], **{name: about[name] for name in ("pixel_center", "images", "camera")})
    except (KeyError, VlocError):
        return None


def photos_behind(map_: Map) -> Capture:
    """The capture that a map was made from, with its photos; DataError where they are not to be found."""
    source, said = source_of(map_), map_.manifest.get("capture", {}).get("location", "")
    if source is None or source.files is None:
        place = f"'{said}' is not there" if said else "the map does not say where they are"
        raise DataError(
            f"{map_.folder}: queries are matched with the map's own photos, and {place}: run `vloc map` again on its "
            "capture where it lies now, from the folder that commands are run from"
        )
    return source
