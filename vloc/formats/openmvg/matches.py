"""OpenMVG's matches: matches.f.txt, or matches.f.bin as cereal's portable binary archive writes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ...data.reconstruction import InMemory, MatchedPairs
from ...errors import DataError
from ...regular_file import is_regular
from ..remarks import Remarks
from ..scene_text import LineReader
from ..text_fields import read_bytes

TEXT, BINARY = "matches.f.txt", "matches.f.bin"
# (place in the file, two view ids, rows of two keypoints)
Block = tuple[str, tuple[int, int], np.ndarray]


def find_matches(folders: Sequence[Path]) -> Path | None:
    """The first matches.f, text before binary as in OpenMVG."""
    there = (folder / name for folder in folders for name in (TEXT, BINARY))
    return next(filter(is_regular, there), None)


def remark_unread(folders: Sequence[Path], read: Path | None, why: str, remarks: Remarks) -> None:
    """Remark by name the files of matches other than the one that is read."""
    for path in sorted({path for folder in folders for path in folder.glob("*matches.*")}):
        if path != read and path.suffix in (".txt", ".bin"):
            remarks.add(path, f"file of matches left unread: {why}")


def read_matches(path: Path, name_of_view: Mapping[int, str], counts: Mapping[str, int]) -> MatchedPairs:
    """Matches by pair of names, scores 1; DataError, by line or byte, for views and keypoints that are not there."""
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for place, views, rows in _binary_blocks(path) if path.suffix == ".bin" else _text_blocks(path):
        if any(view not in name_of_view for view in views) or views[0] == views[1]:
            raise DataError(f"{path}:{place}: views {views[0]} and {views[1]}, expected two views of sfm_data.json")
        first, second = (name_of_view[view] for view in views)
        pair = (min(first, second), max(first, second))
        if pair in arrays or (len(rows) and (rows.max(0) >= (counts[first], counts[second])).any()):
            what = "a pair that was there before" if pair in arrays else "a match beyond the keypoints"
            raise DataError(f"{path}:{place}: {what}: {first} and {second}")
        columns = rows if first < second else rows[:, ::-1]
        arrays[pair] = np.column_stack([columns, np.ones(len(rows))])
    return MatchedPairs(sorted(arrays), InMemory(arrays))


def _text_blocks(path: Path) -> Iterator[Block]:
    """A line of two view ids, one with the number of matches, then the matches."""
    reader = LineReader(path)
    while reader.left:
        first, second = reader.integers(2, "two views")
        line = reader.line
        (count,) = reader.integers(1, "the number of matches")
        rows = [reader.integers(2, "two keypoints") for _ in range(count)]
        yield str(line), (first, second), np.array(rows, np.float64).reshape(-1, 2)


def _binary_blocks(path: Path) -> Iterator[Block]:
    """1 byte, 1 for little endian; 64 bits, number of pairs; each: 32, 32, view ids; 64, number of matches; 32 each."""
    data, at = read_bytes(path), 9
    if data[:1] not in (b"\0", b"\1"):
        raise DataError(f"{path}: first byte {data[:1]!r}, expected 1 or 0: little or big endian")
    order = "<" if data[0] == 1 else ">"
    try:
        (pairs,) = struct.unpack_from(f"{order}Q", data, 1)
        for _ in range(pairs):
            first, second, count = struct.unpack_from(f"{order}IIQ", data, at)
            end = at + 16 + 8 * count
            if end > len(data):
                raise DataError(f"{path}: byte {at}: {count} matches, more than the {len(data)} bytes of the file hold")
            rows = np.frombuffer(data, f"{order}u4", 2 * count, at + 16).reshape(-1, 2)
            yield f" byte {at}", (first, second), rows.astype(np.float64)
            at = end
    except struct.error:
        raise DataError(f"{path}: the file ends at byte {len(data)}, within a pair") from None
    if at != len(data):
        raise DataError(f"{path}: {len(data) - at} bytes after the last pair")


def write_matches(path: Path, matches: MatchedPairs, views: Mapping[str, int]) -> None:
    """Pairs in the order of view ids, without scores."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for pair in matches.pairs:
            rows = matches.load(pair)[:, :2].astype(np.int64)
            numbers = [views[name] for name in pair]
            if numbers[0] > numbers[1]:
                numbers, rows = numbers[::-1], rows[:, ::-1]
            lines = [f"{a} {b}\n" for a, b in [numbers, *rows.tolist()]]
            file.writelines([lines[0], f"{len(rows)}\n", *lines[1:]])
