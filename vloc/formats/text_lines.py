"""Text files whose lines are split at blanks: result lines, image lists, COLMAP text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .text_fields import BOM, read_bytes, refusal


def lines_of(path: Path) -> list[str]:
    """Every line without its end; DataError names the line that is not UTF-8 text."""
    data = read_bytes(path).removeprefix(BOM)
    try:
        lines = data.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise refusal(path, data.count(b"\n", 0, error.start) + 1, "not UTF-8 text") from None
    return lines[:-1] if lines[-1] == "" else lines


def data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number, text) of lines that are neither blank nor comments."""
    for number, line in enumerate(lines_of(path), start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield number, text
