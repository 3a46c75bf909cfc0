"""A full disk or memory as an error that says what was needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ResourceError


@contextmanager
def disk_guard(path: Path, needed: int) -> Iterator[None]:
    """Turn an OSError while writing `path` into a ResourceError that says how many bytes were needed and are free."""
    try:
        yield
    except OSError as error:
        free = shutil.disk_usage(path.parent).free
        raise ResourceError(
            f"{path}: {error.strerror}: {needed:,} bytes needed, {free:,} free; "
            "what was finished is kept: make room and run the same command again"
        ) from error


@contextmanager
def memory_guard(what: str) -> Iterator[None]:
    """Turn a MemoryError into a ResourceError that says what was being worked on."""
    try:
        yield
    except MemoryError as error:
        raise ResourceError(
            f"{what}: out of memory ({error}); what was finished is kept: try fewer --workers"
        ) from error
