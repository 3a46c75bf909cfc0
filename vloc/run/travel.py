"""Values that another process takes up from a file: pickled, and every path in them absolute."""

from __future__ import annotations

import copyreg
import pickle
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from ..atomic import write_bytes
from ..errors import ResourceError
from .guard import disk_guard


def packed(value: object) -> bytes:
    """A value with the paths in it that are there."""
    places: set[str] = set()

    def as_absolute(path: Path) -> tuple[Any, ...]:
        absolute = path.absolute()
        if absolute.exists():
            places.add(str(absolute))
        return type(path), (str(absolute),)

    file = BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = copyreg.dispatch_table | {type(Path()): as_absolute}
    pickler.dump(value)
    return pickle.dumps((sorted(places), file.getvalue()))


def unpacked(data: bytes) -> Any:
    """The value; ResourceError names a path that is there where it was packed, and not here.

    Told at once: an image that is not seen would be taken for one that is missing.
    """
    places, value = pickle.loads(data)  # noqa: S301 - of the command that this worker works for
    for place in places:
        if not Path(place).exists():
            raise ResourceError(f"{place}: not seen from here: the command and its workers need one file system")
    return pickle.loads(value)  # noqa: S301


@contextmanager
def left_in(folder: Path, value: object) -> Iterator[Path]:
    """A file in a store's folder from which the value is taken up; what a kill leaves of it goes with the next run."""
    path, data = folder.absolute() / f".task-{secrets.token_hex(8)}.tmp", packed(value)
    try:
        with disk_guard(path, len(data)):
            write_bytes(path, data)
        yield path
    finally:
        path.unlink(missing_ok=True)


def taken_up(path: Path) -> Any:
    """What was left in a file; ResourceError where it, or a place that it speaks of, is not seen from here."""
    try:
        return unpacked(path.read_bytes())
    except FileNotFoundError:
        raise ResourceError(f"{path}: not seen from here: the command and its workers need one file system") from None
