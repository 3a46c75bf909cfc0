"""COLMAP's SQLite database, of the 3.x and 4.x schemas. Keeps cameras, rigs, frames, features, matches; see `about`."""

from __future__ import annotations

from pathlib import Path

from ...data.capture import Capture
from ..base import Format, WriteOptions, register
from .read import read_database
from .schema import is_database
from .write import write_database


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A database as COLMAP 4 has it: rigs, frames and priors of positions; returns what was lost."""
    return write_database(capture, path, options, 4)


def write_old(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A database as COLMAP 3 had it: whole poses as priors, no rigs; returns what was lost."""
    return write_database(capture, path, options, 3)


_KEEPS = "cameras, keypoints, descriptors, matches"
register(
    Format(
        "colmap-db",
        f"COLMAP database, 3.x or 4.x, written as 4.x; {_KEEPS}, rigs, frames, priors of positions; no image files",
        is_database,
        read_database,
        write,
    )
)
register(
    Format(
        "colmap-db3",
        f"COLMAP database as 3.x; {_KEEPS}, poses as priors; no rigs, no image files",
        lambda _: False,
        None,
        write_old,
    )
)
