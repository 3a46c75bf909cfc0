"""One immutable file of named arrays, opened in place.

After a mark of 16 bytes the arrays stand one after the other, each at a multiple of 64 bytes; then an index, JSON text
that says what is where, with a CRC-32 for every 64 MiB of an array; then a seal of 40 bytes: where the index is and its
CRC-32. Opening reads mark, seal and index alone; the arrays are mapped into memory and read as they are looked at.
"""

from __future__ import annotations

import glob
import math
import mmap
import os
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..atomic import sync_folder
from ..errors import DataError, StoreError
from ..regular_file import open_regular
from .copies import copy
from .guard import disk_guard
from .remote import Location

VERSION = 1
BLOCK = 1 << 26
"""bytes of an array that one checksum stands for"""

_MARK = struct.Struct("<8sQ")  # name, version
_SEAL = struct.Struct("<8sQQQQ")  # name, version, offset, length and CRC-32 of the index
_NAME = b"vlocpack"
_ALIGNED = 64
_KINDS = "biuf"

Parts = Iterable[np.ndarray]
"""one array in parts, laid end to end along the first axis; one part at least"""


class ArrayForm(msgspec.Struct):
    """Where one array is, and the CRC-32 of each block of it."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    checksums: list[int]

    @property
    def num_bytes(self) -> int:
        """Of the whole array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class IndexForm(msgspec.Struct):
    """The table of contents."""

    arrays: dict[str, ArrayForm]
    about: dict[str, Any]
    """what there is to say of them, as JSON"""


_INDEX = msgspec.json.Decoder(IndexForm)  # made here, in one thread, as in `run/shard.py`


def write_packed(path: Path, arrays: Iterable[tuple[str, Parts]], about: Mapping[str, Any]) -> None:
    """Write a file whole or not at all, a part in memory at a time; the same input gives the same bytes.

    What stood at `path` before stays until everything is on disk. ResourceError where that is full, DataError where
    nothing can be written.
    """
    with ExitStack() as cleaning:
        handle, name = _opened_beside(path)
        temporary = Path(name)
        cleaning.callback(temporary.unlink, missing_ok=True)
        with os.fdopen(handle, "wb", buffering=0) as file:  # what a buffer holds fails once more when it is closed
            _write(file, path, arrays, about)
        temporary.chmod(0o644)
        temporary.replace(path)
    sync_folder(path.parent)


def _opened_beside(path: Path) -> tuple[int, str]:
    """A new temporary file in the folder of a path, which is made where it is not there; those that kills left go."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    if _locks(handle, wait=True) and not os.fstat(handle).st_nlink:  # another run saw it before it was locked
        os.close(handle)
        return _opened_beside(path)
    return handle, name


def _remove_left(path: Path) -> None:
    """Remove temporary files of a path that nobody is writing: the lock of who writes one dies with its process."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError), left.open("rb") as file:  # another user's, or just renamed
            if _locks(file.fileno(), wait=False):
                left.unlink()


def _locks(handle: int, *, wait: bool) -> bool:
    """Whether an open file is locked now; it is not where another process has it, or the system knows no such locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # Windows has no fcntl
        return False
    return True


def _write(file: FileIO, path: Path, arrays: Iterable[tuple[str, Parts]], about: Mapping[str, Any]) -> None:
    def put(data: bytes | memoryview) -> None:
        with disk_guard(path, file.tell() + len(data)):
            while len(data):
                data = data[file.write(data) :]

    put(_MARK.pack(_NAME, VERSION))
    forms = {}
    for name, parts in arrays:
        put(bytes(-file.tell() % _ALIGNED))
        forms[name] = _written(file.tell(), parts, put)
    text, at = msgspec.json.encode(IndexForm(forms, dict(about))), file.tell()
    put(text + _SEAL.pack(_NAME, VERSION, at, len(text), zlib.crc32(text)))
    with disk_guard(path, file.tell()):
        os.fsync(file.fileno())


def _written(offset: int, parts: Parts, put: Any) -> ArrayForm:
    """Where an array that was put down in parts now is."""
    checksums, filled, rows, like = list[int](), BLOCK, 0, None
    for part in parts:
        like = part if like is None else like
        if part.dtype != like.dtype or part.shape[1:] != like.shape[1:] or part.dtype.kind not in _KINDS:
            raise StoreError(f"a part of {part.dtype}{part.shape[1:]} after one of {like.dtype}{like.shape[1:]}")
        rows, data = rows + len(part), np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
        put(data)
        while len(data):
            if filled == BLOCK:
                checksums, filled = [*checksums, 0], 0
            block, data = data[: BLOCK - filled], data[BLOCK - filled :]
            checksums[-1], filled = zlib.crc32(block, checksums[-1]), filled + len(block)
    if like is None:
        raise StoreError("an array without parts: expected one at least, which says of what type it is")
    return ArrayForm(like.dtype.str, (rows, *like.shape[1:]), offset, checksums)


def is_packed(path: Location) -> bool:
    """Whether a file begins as those of `write_packed` do."""
    try:
        return _start(path) == _NAME
    except (OSError, ValueError, DataError):
        return False


def _start(path: Location) -> bytes:
    if not isinstance(path, Path):
        return path.start(len(_NAME))
    with open_regular(path) as file:
        return file.read(len(_NAME))


class PackedFile:
    """Arrays by name, read-only and in place; those of one block at most are compared when first looked at."""

    def __init__(self, path: Location) -> None:
        """StoreError: no whole file of this version. Of the arrays nothing is read; a remote file is fetched."""
        self.path = path
        self._index, self._bytes = self._opened(path if isinstance(path, Path) else copy(path, _is_whole))
        self.about = self._index.about
        self._compared: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedFile, (self.path,)

    def __repr__(self) -> str:
        return f"PackedFile({str(self.path)!r}, {len(self.forms)} arrays, {len(self._bytes):,} bytes)"

    @property
    def forms(self) -> Mapping[str, ArrayForm]:
        """What each array is."""
        return self._index.arrays

    @property
    def num_bytes(self) -> int:
        """Of the file."""
        return len(self._bytes)

    def __contains__(self, name: str) -> bool:
        return name in self.forms

    def __getitem__(self, name: str) -> np.ndarray:
        """An array in place; StoreError where it is not there, or not what was written."""
        if name not in self.forms:
            raise self._broken(f"it has no array '{name}'")
        form = self.forms[name]
        if name not in self._compared and form.num_bytes <= BLOCK:
            self._compare(name)
        return np.ndarray(form.shape, form.dtype, self._bytes, form.offset)

    def under(self, prefix: str, *, copied: bool = False) -> dict[str, np.ndarray]:
        """The arrays whose names begin so, by what follows; copies, where asked for, are yours to change."""
        found = {name.removeprefix(prefix): self[name] for name in self.forms if name.startswith(prefix)}
        return {name: array.copy() for name, array in found.items()} if copied else found

    def problems(self) -> Iterator[str]:
        """What is not as it was written; reads every byte."""
        for name in self.forms:
            try:
                self._compare(name)
            except StoreError as error:
                yield str(error)

    def _compare(self, name: str) -> None:
        form = self.forms[name]
        for block, expected in enumerate(form.checksums):
            start = form.offset + block * BLOCK
            stop = min(start + BLOCK, form.offset + form.num_bytes)
            if zlib.crc32(memoryview(self._bytes)[start:stop]) != expected:
                raise self._broken(f"bytes {start:,} to {stop:,} of its array '{name}' are not those that were written")
        self._compared.add(name)

    def _opened(self, path: Path) -> tuple[IndexForm, mmap.mmap]:
        """The table of contents, and the whole file mapped into memory."""
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
                if size < _MARK.size + _SEAL.size:
                    raise self._broken("it is too short")
                mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise StoreError(f"{self.path}: missing: `vloc pack MAP {self.path}` makes it") from None
        except OSError as error:
            raise self._broken(str(error.strerror)) from None
        name, version = _MARK.unpack(mapped[: _MARK.size])
        if name != _NAME:
            raise self._broken("it does not begin as one")
        if version != VERSION:
            raise StoreError(f"{self.path}: of version {version}, this vloc reads {VERSION}: pack the map again")
        return self._checked(mapped), mapped

    def _checked(self, mapped: mmap.mmap) -> IndexForm:
        name, _, at, length, checksum = _SEAL.unpack(mapped[-_SEAL.size :])
        text = mapped[at : at + length] if name == _NAME and at + length + _SEAL.size == len(mapped) else b""
        if not text:
            raise self._broken("it does not end as one: it was cut off, or changed")
        if zlib.crc32(text) != checksum:
            raise self._broken("the checksum of its index differs")
        try:
            index = _INDEX.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._broken(f"its index: {error}") from None
        for array, form in index.arrays.items():
            self._check_form(array, form, at)
        return index

    def _check_form(self, name: str, form: ArrayForm, end: int) -> None:
        """StoreError where an array cannot lie before the index as its form says."""
        is_known = (
            len(form.dtype) == 3 and form.dtype[1] in _KINDS and form.dtype[0] in "<|" and form.dtype[2].isdigit()
        )
        shapely = is_known and min(form.shape, default=-1) >= 0 <= form.offset
        if not shapely or form.offset + form.num_bytes > end or len(form.checksums) != -(-form.num_bytes // BLOCK):
            raise self._broken(f"its index says of '{name}' what cannot be")

    def _broken(self, what: str) -> StoreError:
        return StoreError(f"{self.path}: no whole packed map: {what}: pack the map again")


def _is_whole(path: Path) -> bool:
    try:
        return not any(PackedFile(path).problems())
    except StoreError:
        return False
