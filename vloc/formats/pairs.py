"""Lists of image pairs: kapture's `query, map, score` lines, or hloc's two names on a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..data.capture import Capture
from ..data.pairs import Pair, Pairs
from ..errors import DataError
from .text_fields import parse_float, read_bytes


def read_pairs(path: Path, capture: Capture) -> Pairs:
    """Each pair once, smaller name first. DataError with file and line for names the capture lacks."""
    return Pairs.of(_known_pairs(path, capture)).once()


def _known_pairs(path: Path, capture: Capture) -> Iterator[Pair]:
    for where, (first, second, *_) in _rows(path):
        for name in (first, second):
            if name not in capture.row_of:
                raise DataError(f"{where}: image '{name}' is not in the capture of {len(capture.images)} images")
        if first != second:
            yield min(first, second), max(first, second)


def read_ranked(path: Path) -> dict[str, list[str]]:
    """Of every query (the first name) the images paired with it: by score, higher first; without, as they come."""
    rows: dict[str, list[tuple[float, str]]] = {}
    for where, (query, image, *score) in _rows(path):
        rows.setdefault(query, []).append((-_score(where, score[0]) if score else 0.0, image))
    return {query: [image for _, image in sorted(found, key=lambda row: row[0])] for query, found in rows.items()}


def _score(where: str, text: str) -> float:
    try:
        return parse_float(text)
    except ValueError:
        raise DataError(f"{where}: score '{text}', expected a number") from None


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """`FILE:LINE`, and the two names and maybe the score, of every line that holds a pair."""
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error})") from None
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            parts = [part.strip() for part in line.split(",")] if "," in line else line.split()
            if len(parts) not in (2, 3):
                raise DataError(
                    f"{path}:{number}: expected two image names and maybe a score, got {len(parts)} fields: '{line}'"
                )
            yield f"{path}:{number}", parts
