"""The lines of large text files, a few MB at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..array_types import Int64
from ..errors import DataError
from ..regular_file import open_regular
from .remarks import Remarks
from .text_fields import BOM, refusal

CHUNK_BYTES = 4 << 20
MAX_LINE_BYTES = 64 << 20
NEWLINE, TAB, HASH = b"\n\t#"
NUM_HEADERS = 2
_VERSION = re.compile(rb"#\s*kapture format:\s*\d+\.\d+")


def blocks(path: Path, remarks: Remarks) -> Iterator[tuple[int, bytes]]:
    """(number of its first line, whole lines) of a few MB at a time, line ends made `\\n`."""
    line, rest = 1, b""
    try:
        with open_regular(path) as file:
            while read := file.read(CHUNK_BYTES):
                read = rest + (read.removeprefix(BOM) if line == 1 and not rest else read)
                cut = read.rfind(b"\n") + 1
                block, rest = read[:cut], read[cut:]
                if len(rest) > MAX_LINE_BYTES:
                    raise refusal(path, line + num_lines(block), f"a line of more than {MAX_LINE_BYTES} bytes")
                if block:
                    yield line, _plain_line_ends(path, block, line)
                    line += num_lines(block)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    if rest:
        remarks.add(path, "last rows without line end: was the file cut?", first=f"line {line}")
        yield line, _plain_line_ends(path, rest + b"\n", line)


def num_lines(block: bytes) -> int:
    """The number of line ends."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == NEWLINE))


def _plain_line_ends(path: Path, block: bytes, line: int) -> bytes:
    """Windows line ends as `\\n`; other control characters than tabs are refused."""
    data = np.frombuffer(block, np.uint8)
    if np.count_nonzero(data < 32) == num_lines(block):
        return block
    block = block.replace(b"\r\n", b"\n")
    data = np.frombuffer(block, np.uint8)
    bad = np.flatnonzero((data < 32) & (data != NEWLINE) & (data != TAB))
    if len(bad):
        line += block.count(b"\n", 0, bad[0])
        raise refusal(path, line, f"control character {block[bad[0]]:#04x}", hint="is this a text file?")
    return block


def without_comments(
    path: Path, block: bytes, line: int, columns: Sequence[str], remarks: Remarks
) -> tuple[bytes, Int64[np.ndarray, "rows"]]:
    """The lines that hold data, and their numbers. A comment's first character other than blanks is '#'.

    Others than the version and the names of the columns get a remark: a damaged byte can turn a row into a comment.
    """
    lines = block.split(b"\n")[:-1]
    kept = []
    for index, text in enumerate(lines):
        bare = text.strip()
        if bare and bare[0] != HASH:
            kept.append(index)
        elif bare and not (line + index <= NUM_HEADERS and _is_header(bare, len(columns))):
            remarks.add(path, "comments besides the two lines on top", first=f"line {line + index}")
    return b"".join(lines[i] + b"\n" for i in kept), np.array(kept, np.int64) + line


def _is_header(comment: bytes, num_columns: int) -> bool:
    return _VERSION.fullmatch(comment) is not None or comment.count(b",") == num_columns - 1
