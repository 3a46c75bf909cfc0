"""The photos in a folder, and why some of them cannot be decoded here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .heif import HEIF_SUFFIXES, INSTALL_HEIF, heif_image
from .images import SUFFIXES
from .remarks import Remarks

RAW_SUFFIXES = frozenset(
    [".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw"]
)
OTHER_SUFFIXES = frozenset([".jxl", ".exr", ".hdr", ".psd"])
PHOTO_SUFFIXES = SUFFIXES | HEIF_SUFFIXES | RAW_SUFFIXES | OTHER_SUFFIXES
"""what is a photo to people, whether it can be decoded or not"""


def is_photo(name: str) -> bool:
    """Whether a file name is that of a photo, hidden ones left out."""
    return not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES


def photos_below(root: Path) -> Iterator[str]:
    """Paths of all photos below a folder, `/` between folders; hidden files and folders are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in names if is_photo(name))


def decodable(root: Path, names: list[str], remarks: Remarks) -> list[str]:
    """The names of those that can be decoded here, sorted; the others are counted, with what helps."""
    kept = []
    for name in sorted(names):
        if reason := _undecodable(Path(name).suffix.lower()):
            remarks.lose(root, f"images left out: {reason}", first=name)
        else:
            kept.append(name)
    return kept


def _undecodable(suffix: str) -> str:
    if suffix in SUFFIXES:
        return ""
    if suffix in HEIF_SUFFIXES:
        return "" if heif_image() else f"HEIC needs a decoder, {INSTALL_HEIF}"
    return f"nothing decodes {suffix} here, convert them to JPEG, PNG or TIFF"
