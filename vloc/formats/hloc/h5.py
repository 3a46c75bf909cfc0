"""hloc's HDF5 files, opened so that nothing outside them is reached and nothing in them runs."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...regular_file import is_regular

MAX_DEPTH = 64
# What HDF5 may hold back of its own tables between two flushes, with much to spare.
MARGIN_BYTES, FLUSHED_GROUPS = 8 << 20, 64
# Largest array that is read, bytes: 4 million keypoints of 256 floats.
MAX_BYTES = 4 << 30
# Filters that HDF5 and h5py bring: deflate, shuffle, fletcher32, szip, nbit, scaleoffset, lzf. Others would be loaded
# as plugins from a folder of the machine.
_FILTERS = frozenset([1, 2, 3, 4, 5, 6, 32000])


@dataclass(frozen=True)
class StoredArray:
    """What is known of an array before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file; what h5py raises on broken content becomes a DataError."""
    import h5py

    if not is_regular(path):
        raise DataError(f"{path}: not a regular file")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: broken HDF5 file: {error}") from None


def scan(path: Path) -> dict[str, dict[str, StoredArray]]:
    """The arrays of every group, by the group's path and their own names; no data are read.

    DataError names the place of links to other files or places, external storage, virtual datasets, unknown filters
    and arrays that are no numbers.
    """
    found: dict[str, dict[str, StoredArray]] = {}
    with opened(path) as file:
        for place, dataset in _datasets(file, path, "", 0):
            group, _, key = place.rpartition("/")
            found.setdefault(group, {})[key] = StoredArray(dataset.shape, dataset.dtype)
    return found


def load(path: Path, place: str) -> np.ndarray:
    """One array, checked again: the file may have been replaced since it was scanned."""
    with opened(path) as file:
        group: Any = file
        for name in place.split("/"):
            group = _child(group, name, path, place)
        _check(group, path, place)
        array: np.ndarray = group[()]
        return array


def _datasets(group: Any, path: Path, where: str, depth: int) -> Iterator[tuple[str, Any]]:
    """(path, dataset) of everything below a group, each link checked before it is followed."""
    import h5py

    if depth > MAX_DEPTH:
        raise DataError(f"{path}: {where}: groups more than {MAX_DEPTH} deep: do they contain each other?")
    for name in group:
        place = f"{where}/{name}" if where else name
        child = _child(group, name, path, place)
        if isinstance(child, h5py.Group):
            yield from _datasets(child, path, place, depth + 1)
        elif isinstance(child, h5py.Dataset):
            _check(child, path, place)
            yield place, child


def _child(group: Any, name: str, path: Path, place: str) -> Any:
    import h5py

    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise DataError(f"{path}: {place}: {type(link).__name__}, expected data in the file itself")
    return group[name]


def _check(dataset: Any, path: Path, place: str) -> None:
    settings = dataset.id.get_create_plist()
    if dataset.is_virtual:
        raise DataError(f"{path}: {place}: virtual dataset, expected data in the file itself")
    if settings.get_external_count():
        raise DataError(f"{path}: {place}: data in an external file, expected them in the file itself")
    for index in range(settings.get_nfilters()):
        if (number := settings.get_filter(index)[0]) not in _FILTERS:
            raise DataError(f"{path}: {place}: HDF5 filter {number}, expected one of HDF5's own")
    if dataset.dtype.kind not in "fiu":
        raise DataError(f"{path}: {place}: values of type {dataset.dtype}, expected numbers")
    if dataset.nbytes > MAX_BYTES:
        raise DataError(f"{path}: {place}: {dataset.nbytes} bytes, expected at most {MAX_BYTES}")


def write_groups(path: Path, groups: Iterator[tuple[str, Mapping[str, np.ndarray]]]) -> None:
    """Write a group of arrays for each key; OSError before the disk is full, since that crashes HDF5."""
    import h5py

    _check_room(path, 0)
    with h5py.File(path, "w") as file:
        for number, (name, arrays) in enumerate(groups):
            _check_room(path, sum(array.nbytes for array in arrays.values()))
            group = file.create_group(name)
            for key, array in arrays.items():
                group.create_dataset(key, data=array)
            if number % FLUSHED_GROUPS == 0:
                file.flush()


def _check_room(path: Path, num_bytes: int) -> None:
    if shutil.disk_usage(path.parent).free < num_bytes + MARGIN_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
