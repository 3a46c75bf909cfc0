"""HDF5 files that are never held as a whole: HDF5 makes what stands around the arrays, which stay where they are.

HDF5 never touches the disk: it corrupts files and even crashes when that is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import RawIOBase
from typing import Any

import numpy as np

from ..atomic import Bytes


class Hdf5File:
    """A file of arrays that stand in it in one piece each, the same bytes for the same arrays."""

    def __init__(self) -> None:
        import h5py

        self._around = _Around()
        self._file = h5py.File(self._around, "w")
        self._layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)  # places are known at once, and not written to
        self._layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        self._layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        self._arrays: list[tuple[int, memoryview]] = []

    def add(self, name: str, parts: Sequence[np.ndarray]) -> int:
        """Where in the file a dataset of these arrays is, end to end; one at least, all of one type and shape of a row.

        The arrays must not change until the file is written.
        """
        shape = sum(map(len, parts)), *parts[0].shape[1:]
        made = self._file.create_dataset(name, shape, parts[0].dtype, dcpl=self._layout, track_times=False)
        offset: int = made.id.get_offset() or 0
        at = offset
        for part in parts:
            data = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
            self._arrays.append((at, data))
            at += len(data)
        return offset

    def parts(self) -> Iterator[Bytes]:
        """The bytes of the file, one piece after the other; nothing can be added any more."""
        self._file.close()
        end = 0
        for start, data in sorted((place for place in self._arrays if place[1].nbytes), key=lambda place: place[0]):
            if start > end:
                yield self._around.between(end, start)
            yield data
            end = start + len(data)
        yield self._around.between(end, self._around.size)


class _Around(RawIOBase):
    """A file that holds what is written to it, and nothing for what is left out."""

    def __init__(self) -> None:
        self.size = 0
        self._at = 0
        self._written: list[tuple[int, bytes]] = []

    def between(self, start: int, stop: int) -> bytearray:
        """The bytes from one place to another, zero where none were written."""
        data = bytearray(stop - start)
        for at, written in self._written:
            if start <= at < stop:
                data[at - start : at - start + len(written)] = written
        return data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = self.between(self._at, self._at + len(buffer))
        return len(buffer)

    def write(self, data: Any) -> int:
        self._written.append((self._at, bytes(data)))
        self._at += len(data)
        self.size = max(self.size, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size
