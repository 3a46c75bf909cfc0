"""Numbers in text, strictly, and errors that name file and line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from ..array_types import Bool
from ..errors import DataError, shortened
from ..regular_file import open_regular, read_regular

BOM = b"\xef\xbb\xbf"
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
# No number that measures anything is larger, and a product of three such is still a number.
LARGEST = 1e100
_FLOATS = msgspec.json.Decoder(list[float])
_INT64 = range(-(2**63), 2**63)


def refusal(
    path: Path, line: int | None, what: str, expected: str = "", found: str = "", *, hint: str = ""
) -> DataError:
    """`file:line: what; expected ...; found ...; hint`."""
    place = f"{path}:{line}" if line else str(path)
    parts = [what, expected and f"expected {expected}", found and f"found {_shown(found)}", hint]
    return DataError(f"{place}: {'; '.join(part for part in parts if part)}")


def _shown(text: str) -> str:
    text = shortened(text, 80)
    return f"'{text}'" if text.isprintable() else repr(text)


def parse_float(text: str) -> float:
    """A decimal number, at most `LARGEST`; ValueError for anything else (`nan`, `inf`, `1_000`, hexadecimal)."""
    if not _FLOAT.fullmatch(text):
        raise ValueError("not a number")
    value = float(text)
    if abs(value) > LARGEST:
        raise ValueError("number out of range")
    return value


def parse_floats(fields: Sequence[str]) -> list[float]:
    """Numbers as `parse_float` takes them, many at a time; ValueError names the first that is none."""
    try:
        # One field with a comma would be two numbers.
        values: list[float] = _FLOATS.decode(f"[{','.join(fields)}]")
    except (msgspec.MsgspecError, UnicodeEncodeError):
        values = []
    if len(values) == len(fields) and max(map(abs, values), default=0) <= LARGEST:
        return values
    return list(map(_named_float, fields))


def _named_float(text: str) -> float:
    try:
        return parse_float(text)
    except ValueError as error:
        raise ValueError(f"{error}: {_shown(text)}") from None


def within_range(values: np.ndarray) -> Bool[np.ndarray, "..."]:
    """Which numbers are finite and at most `LARGEST`."""
    inside: np.ndarray = np.abs(values) <= LARGEST
    return inside


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
        return read_regular(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def first_line(path: Path) -> str:
    """The first line of a file, without a byte order mark."""
    try:
        with open_regular(path) as file:
            return file.readline(4096).removeprefix(BOM).decode(errors="replace").strip()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
