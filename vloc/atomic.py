"""Files that appear whole or not at all: written beside their place, flushed to disk, renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

Bytes = bytes | bytearray | memoryview


def write_bytes(path: Path, *pieces: Bytes) -> None:
    """Replace `path` by these pieces; after a crash at any moment the old or the new content is there, never a mix."""
    with ExitStack() as cleaning:
        _staged(path, pieces, cleaning).replace(path)
    sync_folder(path.parent)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Replace several files of one folder by UTF-8 text, all of which is on disk before any old content goes.

    After a crash each is old, new or (the last) not there; the last is never there unless all are of one time.
    """
    *_, last = texts
    with ExitStack() as cleaning:
        staged = {path: _staged(path, [text.encode()], cleaning) for path, text in texts.items()}
        last.unlink(missing_ok=True)
        sync_folder(last.parent)
        for path, temporary in staged.items():
            temporary.replace(path)
    sync_folder(last.parent)


def _staged(path: Path, pieces: Iterable[Bytes], cleaning: ExitStack) -> Path:
    """A temporary file beside `path` with these pieces, flushed to disk, that is removed unless it is renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    cleaning.callback(temporary.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    return temporary


def move_whole(temporary: Path, path: Path) -> None:
    """Give a file that is whole its name in the same folder, its content on disk before."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode())


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
