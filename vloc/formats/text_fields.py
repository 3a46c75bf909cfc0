"""Numbers in text, strictly, and errors that name file and line."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import DataError

BOM = b"\xef\xbb\xbf"
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_INT64 = range(-(2**63), 2**63)


def refusal(
    path: Path, line: int | None, what: str, expected: str = "", found: str = "", *, hint: str = ""
) -> DataError:
    """`file:line: what; expected ...; found ...; hint`."""
    place = f"{path}:{line}" if line else str(path)
    parts = [what, expected and f"expected {expected}", found and f"found {_shown(found)}", hint]
    return DataError(f"{place}: {'; '.join(part for part in parts if part)}")


def _shown(text: str) -> str:
    text = text if len(text) <= 80 else f"{text[:77]}..."
    return f"'{text}'" if text.isprintable() else repr(text)


def parse_float(text: str) -> float:
    """A finite decimal number; ValueError for anything else (`nan`, `inf`, `1_000`, hexadecimal)."""
    if not _FLOAT.fullmatch(text):
        raise ValueError("not a number")
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError("number out of range")
    return value


def parse_integer(text: str) -> int:
    """A decimal integer of 64 bits; ValueError for anything else."""
    if not _INTEGER.fullmatch(text) or len(text) > 40:
        raise ValueError("not an integer")
    value = int(text)
    if value not in _INT64:
        raise ValueError("integer beyond 64 bits")
    return value


def read_bytes(path: Path) -> bytes:
    """The whole file; DataError says why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def first_line(path: Path) -> str:
    """The first line of a file, without a byte order mark."""
    try:
        with path.open("rb") as file:
            return file.readline(4096).removeprefix(BOM).decode(errors="replace").strip()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
