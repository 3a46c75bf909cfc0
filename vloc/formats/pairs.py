"""Lists of image pairs: kapture's `query, map, score` lines, or hloc's two names on a line."""

from __future__ import annotations

from pathlib import Path

from ..data.capture import Capture
from ..errors import DataError
from .text_fields import read_bytes


def read_pairs(path: Path, capture: Capture) -> list[tuple[str, str]]:
    """Each pair once, smaller name first. DataError with file and line for names the capture lacks."""
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error})") from None
    pairs: dict[tuple[str, str], None] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            first, second = _names(line, f"{path}:{number}", capture)
            if first != second:
                pairs[min(first, second), max(first, second)] = None
    return list(pairs)


def _names(line: str, where: str, capture: Capture) -> tuple[str, str]:
    """The two image names of a line."""
    parts = [part.strip() for part in line.split(",")] if "," in line else line.split()
    if len(parts) not in (2, 3):
        raise DataError(f"{where}: expected two image names and maybe a score, got {len(parts)} fields: '{line}'")
    for name in parts[:2]:
        if name not in capture.row_of:
            raise DataError(f"{where}: image '{name}' is not in the capture of {len(capture.images)} images")
    return parts[0], parts[1]
