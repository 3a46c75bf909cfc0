"""Comma-separated text read a column at a time, strictly: a row is understood whole or refused by file and line.

The common case runs over bytes: delimiters are found by numpy, and a column's bytes are parsed as one JSON list, whose
number grammar is strict and correctly rounded. What that refuses is looked at again field by field, for rarer spellings
(`.5`, `+1`, `007`) and for the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from ..array_types import Float64, Int32, Int64, UInt8
from ..errors import DataError
from .remarks import Remarks
from .text_blocks import blocks, num_lines, without_comments
from .text_fields import parse_float, parse_integer, refusal, within_range

COMMA, NEWLINE = b",\n"
# Stands for a comma inside a text; files hold no control characters, `blocks` refuses them.
HIDDEN_COMMA = b"\x01"

N = TypeVar("N", int, float)
_FLOATS = msgspec.json.Decoder(list[float])
_INTEGERS = msgspec.json.Decoder(list[int])


@dataclass(frozen=True, eq=False)
class Table:
    """Consecutive rows of a file. `starts`: byte where each row begins; `ends`: the delimiter after each field."""

    path: Path
    columns: tuple[str, ...]
    data: UInt8[np.ndarray, "bytes"]
    starts: Int64[np.ndarray, "rows"]
    ends: Int64[np.ndarray, "rows columns"]
    lines: Int64[np.ndarray, "rows"]

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, column: int) -> list[str]:
        """The fields of a column, without the blanks around them."""
        try:
            joined = self._bytes(column, column + 1).decode()
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        fields = list(map(str.strip, joined.split(",")[: len(self)]))
        hidden = HIDDEN_COMMA.decode()
        return [field.replace(hidden, ",") for field in fields] if hidden in joined else fields

    @cached_property
    def devices(self) -> tuple[list[str], Int32[np.ndarray, "rows"]]:
        """The distinct texts of the second column, in order of appearance, and which of them each row has."""
        names = self.text(1)
        index = {name: i for i, name in enumerate(dict.fromkeys(names))}
        return list(index), np.fromiter(map(index.__getitem__, names), np.int32, len(names))

    def integers(self, column: int) -> Int64[np.ndarray, "rows"]:
        """A column of 64-bit integers."""
        try:
            return np.array(_INTEGERS.decode(self._json(column, column + 1))[1:], np.int64)
        except (msgspec.MsgspecError, OverflowError):
            return np.array([self._one(parse_integer, row, column) for row in range(len(self))], np.int64)

    def numbers(self, first: int, last: int, *, may_be_empty: bool = False) -> Float64[np.ndarray, "rows k"]:
        """Columns first to last - 1, all at most `LARGEST`; with `may_be_empty`, empty fields become NaN."""
        try:
            values = np.array(_FLOATS.decode(self._json(first, last))[1:], np.float64)
        except msgspec.MsgspecError:
            values = np.array([np.nan])
        if not within_range(values).all():
            places = [(row, column) for row in range(len(self)) for column in range(first, last)]
            values = np.array([self._number(row, column, may_be_empty) for row, column in places])
        return values.reshape(len(self), last - first)

    def field(self, row: int, column: int) -> str:
        """One field, for messages and rare spellings."""
        start = self.ends[row, column - 1] + 1 if column else self.starts[row]
        raw = self.data[start : self.ends[row, column]].tobytes().replace(HIDDEN_COMMA, b",")
        return raw.decode(errors="replace").strip()

    def refusal(self, row: int, what: str, expected: str = "", found: str = "") -> DataError:
        """The error that names the file and the line of a row."""
        return refusal(self.path, int(self.lines[row]), what, expected, found)

    def _number(self, row: int, column: int, may_be_empty: bool) -> float:
        if may_be_empty and not self.field(row, column):
            return float("nan")
        return self._one(parse_float, row, column)

    def _one(self, parse: Callable[[str], N], row: int, column: int) -> N:
        text = self.field(row, column)
        try:
            return parse(text)
        except ValueError as error:
            raise self.refusal(row, f"{self.columns[column]}: {error}", found=text or "nothing") from None

    def _bytes(self, first: int, last: int) -> bytes:
        """The bytes of columns first to last - 1, each followed by its delimiter, rows after one another."""
        begin = self.ends[:, first - 1] + 1 if first else self.starts
        bounds = np.stack([begin, self.ends[:, last - 1] + 1], axis=1).ravel()
        inside = np.repeat(np.tile([False, True], len(self)), np.diff(bounds, prepend=0))
        chosen: bytes = self.data[: len(inside)][inside].tobytes()
        return chosen.replace(b"\n", b",")

    def _json(self, first: int, last: int) -> bytes:
        # The 0 in front makes a single empty field an error, as it is among others; callers drop it.
        return b"[0," + self._bytes(first, last)[:-1] + b"]"

    def _not_utf8(self) -> DataError:
        for row in range(len(self)):
            end = self.ends[row, -1]
            try:
                self.data[self.starts[row] : end].tobytes().decode()
            except UnicodeDecodeError as error:
                return self.refusal(row, f"not UTF-8 at byte {error.start + 1} of the line")
        return refusal(self.path, None, "not UTF-8")


def read_tables(
    path: Path, columns: tuple[str, ...], remarks: Remarks, *, free_text: int | None = None
) -> Iterator[Table]:
    """The rows of a file in chunks; comments and blank lines are skipped, a row of another length is refused.

    A last line without line end is used, with a remark: it may have been cut. Surplus commas of a row are part of
    the column `free_text`, with a remark; the others have none.
    """
    for line, block in blocks(path, remarks):
        plain = b"#" not in block and free_text is None
        table = _split(path, columns, block, np.arange(line, line + num_lines(block))) if plain else None
        if table is None:
            content, lines = without_comments(path, block, line, columns, remarks)
            if free_text is not None:
                content = _hide_commas(path, content, len(columns), free_text, remarks)
            table = _split(path, columns, content, lines)
            if table is None:
                raise _wrong_count(path, columns, content, lines)
        if len(table):
            yield table


def _hide_commas(path: Path, content: bytes, width: int, free: int, remarks: Remarks) -> bytes:
    rows = content.split(b"\n")
    for index, row in enumerate(rows):
        extra = row.count(b",") - (width - 1)
        if extra > 0:
            parts = row.split(b",")
            inner = HIDDEN_COMMA.join(parts[free : free + extra + 1])
            rows[index] = b",".join([*parts[:free], inner, *parts[free + extra + 1 :]])
            remarks.add(path, "rows with commas in a text", first=row.decode(errors="replace"))
    return b"\n".join(rows)


def read_lines(path: Path, columns: Sequence[str], remarks: Remarks) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of rows whose number of fields varies; `columns` are those that the header names."""
    for first_line, block in blocks(path, remarks):
        content, lines = without_comments(path, block, first_line, columns, remarks)
        for number, line in zip(lines.tolist(), content.split(b"\n")[:-1], strict=True):
            try:
                yield number, [field.strip() for field in line.decode().split(",")]
            except UnicodeDecodeError as error:
                raise refusal(path, number, f"not UTF-8 at byte {error.start + 1} of the line") from None


def _split(path: Path, columns: tuple[str, ...], content: bytes, lines: np.ndarray) -> Table | None:
    """The table, or None where a row has another number of fields."""
    data = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero((data == COMMA) | (data == NEWLINE))
    width = len(columns)
    if len(ends) != len(lines) * width or not (data[ends[width - 1 :: width]] == NEWLINE).all():
        return None
    ends = np.reshape(ends, (len(lines), width))
    starts = np.concatenate([[0], ends[:, -1] + 1])[:-1]
    return Table(path, columns, data, starts, ends, lines)


def _wrong_count(path: Path, columns: tuple[str, ...], content: bytes, lines: np.ndarray) -> DataError:
    rows: Iterable[bytes] = content.split(b"\n")
    wrong = ((n, r) for n, r in zip(lines.tolist(), rows, strict=False) if r.count(b",") != len(columns) - 1)
    number, row = next(wrong)
    expected = f"{len(columns)}: {', '.join(columns)}"
    return refusal(path, number, f"{row.count(b',') + 1} fields", expected, row.decode(errors="replace"))
