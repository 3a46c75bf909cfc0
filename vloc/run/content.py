"""Hashes of file contents, remembered by size and time so that an unchanged file is not read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ..atomic import write_bytes
from ..regular_file import read_regular
from .fingerprint import bytes_fingerprint
from .guard import disk_guard

FILE = "content.json"


class ContentHashes:
    """Name -> (stamp, hash) of files, kept in one JSON file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known = _read(self._path)
        self._changed = False

    def get(self, name: str, stamp: object, read: Callable[[], bytes]) -> str:
        """The hash of what `read` gives, remembered as long as the stamp stays; without a stamp it is not."""
        if stamp is None:
            return bytes_fingerprint(read())
        known = self._known.get(name)
        if known and known[0] == str(stamp):
            return known[1]
        mark = bytes_fingerprint(read())
        self._known[name] = (str(stamp), mark)
        self._changed = True
        return mark

    def save(self) -> None:
        """Write what was learned since the last save, in the order of names."""
        if self._changed:
            data = msgspec.json.encode(dict(sorted(self._known.items())))
            with disk_guard(self._path, len(data)):
                write_bytes(self._path, data)
            self._changed = False


def _read(path: Path) -> dict[str, tuple[str, str]]:
    try:
        return msgspec.json.decode(read_regular(path), type=dict[str, tuple[str, str]])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # nothing is lost but time: the files are read again
