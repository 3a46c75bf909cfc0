"""hloc's HDF5 files, opened so that nothing outside them is reached and nothing in them runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError

MAX_DEPTH = 64
# Largest array that is read, bytes: 4 million keypoints of 256 floats.
MAX_BYTES = 4 << 30
# Filters that HDF5 brings itself; others would be loaded as plugins from a folder of the machine.
_FILTER_IDS = frozenset([1, 2, 3, 4, 5, 6, 32000])


def groups_of(path: Path, wanted: frozenset[str]) -> dict[str, dict[str, np.ndarray]]:
    """Every group that holds one of the `wanted` datasets, by its path, with all its arrays of numbers.

    DataError names the file and the place of links to other files, external storage, virtual datasets, soft links,
    unknown filters and arrays that are no numbers: all are refused before any data are read.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            datasets = list(_datasets(file, path, "", 0))
            found: dict[str, dict[str, np.ndarray]] = {}
            for name, dataset in datasets:
                group, _, key = name.rpartition("/")
                found.setdefault(group, {})[key] = dataset
            kept = {group: own for group, own in found.items() if wanted & own.keys()}
            return {group: {key: _array(path, f"{group}/{key}", x) for key, x in own.items()} for group, own in kept.items()}
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise DataError(f"{path}: broken HDF5 file: {error}") from None


def _datasets(group: Any, path: Path, where: str, depth: int) -> Iterator[tuple[str, Any]]:
    """(path, dataset) of everything below a group, each checked before it is opened."""
    import h5py

    if depth > MAX_DEPTH:
        raise DataError(f"{path}: {where}: groups more than {MAX_DEPTH} deep: do they contain each other?")
    for name in group:
        place = f"{where}/{name}" if where else name
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{path}: {place}: a link ({type(link).__name__}), expected data in the file itself")
        child = group[name]
        if isinstance(child, h5py.Group):
            yield from _datasets(child, path, place, depth + 1)
        elif isinstance(child, h5py.Dataset):
            _check(child, path, place)
            yield place, child


def _check(dataset: Any, path: Path, place: str) -> None:
    plist = dataset.id.get_create_plist()
    if dataset.is_virtual:
        raise DataError(f"{path}: {place}: a virtual dataset, expected data in the file itself")
    if plist.get_external_count():
        raise DataError(f"{path}: {place}: data in an external file, expected them in the file itself")
    unknown = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if bad := [number for number in unknown if number not in _FILTER_IDS]:
        raise DataError(f"{path}: {place}: HDF5 filter {bad[0]}, expected one of HDF5's own")


def _array(path: Path, place: str, dataset: Any) -> np.ndarray:
    if dataset.dtype.kind not in "fiu":
        raise DataError(f"{path}: {place}: values of type {dataset.dtype}, expected numbers")
    if dataset.nbytes > MAX_BYTES:
        raise DataError(f"{path}: {place}: {dataset.nbytes} bytes, expected at most {MAX_BYTES}")
    return dataset[()]


def write_groups(path: Path, groups: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a group of arrays for each key."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, arrays in groups.items():
            group = file.create_group(name)
            for key, array in arrays.items():
                group.create_dataset(key, data=array)
