"""One immutable file that holds the results of many items.

A shard is an HDF5 file that any HDF5 tool opens: under `arrays/` one dataset a name, the items' arrays one after the
other, and `index`, JSON text that says whose rows are whose. After HDF5's end stands a seal of 28 bytes: where the
index is, its CRC-32, and that of the whole file. vloc reads shards by plain file reads and not through HDF5: that runs
in many threads at a time, keeps no file open, leaves no mapped pages in memory, and a damaged file cannot crash it.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ..atomic import Bytes
from ..errors import ResourceError, StageError, StoreError
from ..regular_file import NO_FILE, open_regular
from ..stage import Key
from .fingerprint import bytes_fingerprint
from .hdf5_file import Hdf5File

FORMAT = 1
"""Part of every store's key, so a version of vloc never meets shards of another format."""

Arrays = Mapping[str, np.ndarray]
Outcome = Arrays | str
"""What became of one item: its arrays, or the reason why it failed."""

_SEAL = struct.Struct("<4sQQII")  # mark, offset, length and CRC-32 of the index, CRC-32 of all that precedes it
_MARK = b"vloc"
_KINDS = "biufS"
_BLOCK = 1 << 20


class ArrayIndex(msgspec.Struct):
    """Where the items' arrays of one name are: item i has the rows `rows[i]:rows[i + 1]`."""

    dtype: str
    shape: tuple[int, ...]
    """of one row"""
    offset: int
    """of the first row, bytes from the start of the file"""
    rows: list[int]


class Index(msgspec.Struct):
    """The table of contents of a shard."""

    keys: list[str | tuple[str, str]]
    fingerprints: list[str]
    failures: dict[int, str]
    """row of the item -> reason"""
    arrays: dict[str, ArrayIndex]


_INDEX = msgspec.json.Decoder(Index)
"""made here, in one thread: msgspec takes a type apart when it first meets it, and crashes where two threads do so"""


def shard_name(keys: Sequence[Key], fingerprints: Sequence[str]) -> str:
    """The file name: made from what is inside, so that a resumed run writes the very files of an uninterrupted one."""
    return f"{bytes_fingerprint(msgspec.json.encode((keys, fingerprints)))}.h5"


def label(key: Key) -> str:
    """A key as people read it."""
    return key if isinstance(key, str) else " - ".join(key)


def pack(keys: Sequence[Key], fingerprints: Sequence[str], outcomes: Sequence[Outcome]) -> list[Bytes]:
    """The content of a shard in pieces; the same input gives the same bytes.

    StageError: items whose arrays of one name differ in type or in the shape of a row.
    """
    failures = {row: outcome for row, outcome in enumerate(outcomes) if isinstance(outcome, str)}
    index, file = Index(list(keys), list(fingerprints), failures, {}), Hdf5File()
    for name, column in _columns(keys, outcomes).items():
        there = [array for array in column if array is not None]
        rows = [0, *np.cumsum([0 if array is None else len(array) for array in column]).tolist()]
        offset = file.add(f"arrays/{name}", there)
        index.arrays[name] = ArrayIndex(there[0].dtype.str, there[0].shape[1:], offset, rows)
    text = msgspec.json.encode(index)
    at = file.add("index", [np.frombuffer(text, np.uint8)])
    seal = _SEAL.pack(_MARK, at, len(text), zlib.crc32(text), 0)[:-4]
    pieces = [*file.parts(), seal]
    return [*pieces, struct.pack("<I", reduce(lambda found, piece: zlib.crc32(piece, found), pieces, 0))]


def _columns(keys: Sequence[Key], outcomes: Sequence[Outcome]) -> dict[str, list[np.ndarray | None]]:
    """For every name the items' arrays, None where the item failed."""
    first = next((outcome for outcome in outcomes if not isinstance(outcome, str)), {})
    columns: dict[str, list[np.ndarray | None]] = {name: [] for name in sorted(first)}
    for key, outcome in zip(keys, outcomes, strict=True):
        if not isinstance(outcome, str) and sorted(outcome) != sorted(first):
            raise StageError(f"{label(key)}: expected the arrays {sorted(first)}, got {sorted(outcome)}")
        for name, column in columns.items():
            column.append(None if isinstance(outcome, str) else _checked(key, name, outcome[name], first[name]))
    return columns


def _checked(key: Key, name: str, array: np.ndarray, like: np.ndarray) -> np.ndarray:
    if array.ndim == 0 or array.dtype.kind not in _KINDS:
        raise StageError(
            f"{label(key)}: '{name}' must be an array of numbers with rows, got {array.dtype}{array.shape}"
        )
    if array.dtype != like.dtype or array.shape[1:] != like.shape[1:]:
        raise StageError(
            f"{label(key)}: '{name}' has rows of {array.dtype}{array.shape[1:]}, "
            f"the items before it of {like.dtype}{like.shape[1:]}"
        )
    return array


class Column(NamedTuple):
    """What reading the items' arrays of one name takes: as `ArrayIndex`, in fewer bytes."""

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    rows: np.ndarray

    @classmethod
    def of(cls, index: ArrayIndex) -> Column:
        """That of a table of contents; rows are of the smallest type that holds them."""
        rows = np.array(index.rows, np.min_scalar_type(max(index.rows)))
        return cls(np.dtype(index.dtype), index.shape, index.offset, rows)


class Shard:
    """A shard on disk, its arrays read when asked for; of its table of contents it keeps what that takes."""

    def __init__(self, path: Path, index: Index | None = None) -> None:
        """`index`: where it was read already. StoreError: the file is not a whole shard.

        The checksum is compared at the first read, or by `check`.
        """
        index = index or read_index(path)
        self.path = path
        self.failures = index.failures
        self._columns = {name: Column.of(array) for name, array in index.arrays.items()}
        self._checked = False

    def check(self) -> None:
        """Compare the checksum (0.4 ms a MB); StoreError: the content is not what was written."""
        found = 0
        with _reading(self.path) as file:
            left = self.path.stat().st_size - 4
            while block := file.read(min(left, _BLOCK)):
                found, left = zlib.crc32(block, found), left - len(block)
            expected = int.from_bytes(file.read(), "little")
        if found != expected:
            raise _broken(self.path, f"its checksum is {found:08x}, expected {expected:08x}")
        self._checked = True

    def read(self, row: int) -> dict[str, np.ndarray]:
        """The arrays of one item, freshly read and yours to change."""
        return next(self.read_each([row], self._columns))

    def read_each(self, rows: Iterable[int], names: Collection[str]) -> Iterator[dict[str, np.ndarray]]:
        """The arrays of these names of some items, one after the other."""
        if not self._checked:
            self.check()
        with _reading(self.path) as file:
            for row in rows:
                yield {name: self._read_rows(file, self._columns[name], row) for name in names}

    def _read_rows(self, file: BufferedReader, column: Column, row: int) -> np.ndarray:
        start, stop = column.rows[row : row + 2].tolist()
        row_bytes = math.prod(column.shape) * column.dtype.itemsize
        data = np.empty((stop - start) * row_bytes, np.uint8)
        file.seek(column.offset + start * row_bytes)
        if file.readinto(data.data) != len(data):
            raise _broken(self.path, "it ends early")
        return data.view(column.dtype).reshape(stop - start, *column.shape)


def read_index(path: Path) -> Index:
    """The table of contents of a shard; StoreError where the file is not a whole one."""
    text, checksum = _index_text(path)
    if zlib.crc32(text) != checksum:
        raise _broken(path, "the checksum of its index differs")
    try:
        return _INDEX.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, f"its index: {error}") from None


def _index_text(path: Path) -> tuple[bytes, int]:
    """The table of contents as it stands in the file, and the checksum it should have."""
    with _reading(path) as file:
        size = path.stat().st_size
        file.seek(max(size - _SEAL.size, 0))
        seal = file.read(_SEAL.size)
        if len(seal) != _SEAL.size or not seal.startswith(_MARK):
            raise _broken(path, "it has no seal at its end")
        _, at, length, checksum, _ = _SEAL.unpack(seal)
        file.seek(min(at, size))
        return file.read(min(length, size)), checksum


@contextmanager
def _reading(path: Path) -> Iterator[BufferedReader]:
    """A shard for reading. StoreError: it is missing, or no file; ResourceError: it may be whole, but is not read."""
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError:
        raise StoreError(f"{path}: missing; run the command that made it again") from None
    except OSError as error:
        if error.errno in NO_FILE:
            raise _broken(path, str(error)) from None
        told = (
            f"{path}: cannot be read ({error.strerror}); it is kept: run the command again when it can be, or delete it"
        )
        raise ResourceError(told) from error


def _broken(path: Path, what: str) -> StoreError:
    return StoreError(f"{path}: broken shard: {what}; delete it and run the command that made it again")
