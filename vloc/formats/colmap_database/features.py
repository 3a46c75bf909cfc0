"""Keypoints, descriptors and matches of a COLMAP database, read image by image or pair by pair."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...array_types import Float64
from ...data.reconstruction import Features, MatchedPairs, Reconstruction
from ...errors import DataError
from ..colmap.capture import KEYPOINTS_TYPE
from ..remarks import Remarks
from .schema import EXTRACTORS, MAX_IMAGE_ID, SIFT, UNDEFINED, columns_of, opened

_KEYPOINT, _INDEX = np.dtype("<f4"), np.dtype("<u4")


@dataclass(frozen=True, eq=False)
class DatabaseArrays:
    """The blobs of one table as (rows, width) arrays; `keys`: image or pair -> id in the table."""

    path: Path
    table: str
    keys: Mapping[Any, int]
    dtype: np.dtype
    width: int
    shift: float = 0.0

    def load(self, key: str | tuple[str, str]) -> np.ndarray:
        """The array of an image or a pair; DataError where it is broken."""
        # The table's name is one of this package's own; its key is its first column.
        query = f"SELECT rows, data FROM {self.table} WHERE {_KEY[self.table]} = ?"  # noqa: S608
        with opened(self.path) as database:
            row = database.execute(query, (self.keys[key],)).fetchone()
        if row is None:
            raise DataError(f"{self.path}: table {self.table} has no row of {key} any more")
        count, data = row
        if not (isinstance(count, int) and isinstance(data, bytes | None)):
            raise DataError(f"{self.path}: table {self.table}: {key}: {data!r:.40}, expected bytes")
        array = np.frombuffer(data or b"", np.uint8).reshape(count, -1) if count else np.zeros((0, 0), np.uint8)
        if count == 0:
            return np.zeros((0, self.width), self.dtype)
        values = np.ascontiguousarray(array).view(self.dtype)[:, : self.width]
        if self.table != "keypoints":
            return values
        if not np.isfinite(values).all():
            raise DataError(f"{self.path}: keypoints of '{key}' are not finite numbers")
        moved: np.ndarray = values + np.array([self.shift, self.shift] + [0] * (self.width - 2), self.dtype)
        return moved if self.shift else values


_KEY = {"keypoints": "image_id", "descriptors": "image_id", "matches": "pair_id", "two_view_geometries": "pair_id"}


@dataclass(frozen=True, eq=False)
class DatabaseMatches:
    """Index pairs of a table as kapture's (first, second, score) rows; COLMAP keeps no scores, so they are 0."""

    arrays: DatabaseArrays
    swapped: frozenset[tuple[str, str]]
    counts: Mapping[str, int]

    def load(self, key: str | tuple[str, str]) -> Float64[np.ndarray, "m 3"]:
        """The matches of a pair; DataError for indices that are no keypoints."""
        indices = self.arrays.load(key).astype(np.float64)
        indices = indices[:, ::-1] if key in self.swapped else indices
        if (indices >= [self.counts.get(image, 0) for image in key]).any():
            raise DataError(f"{self.arrays.path}: matches of {key} name a keypoint that the images do not have")
        return np.hstack([indices, np.zeros((len(indices), 1))])


@dataclass(frozen=True)
class Sizes:
    """Rows and columns of a blob, and its number of bytes; `kind`: COLMAP 4's number of the descriptor."""

    rows: int
    columns: int
    num_bytes: int
    kind: int = SIFT


def read_work(
    database: sqlite3.Connection, path: Path, names: Mapping[int, str], shift: float, remarks: Remarks
) -> Reconstruction | None:
    """Keypoints, descriptors and matches, every size checked; None where there are none of them."""
    keypoints = _sizes(database, path, "keypoints", names, remarks)
    for number, size in keypoints.items():
        if size.columns < 2 or size.num_bytes != size.rows * size.columns * _KEYPOINT.itemsize:
            raise DataError(f"{path}: keypoints of '{names[number]}': {size.num_bytes} bytes for {size.rows} rows")
    if not keypoints:
        return None
    width = min(size.columns for size in keypoints.values())
    cut = sum(size.columns > width for size in keypoints.values())
    if cut:
        remarks.add(path, f"images whose keypoints were cut to the {width} columns that all have", cut)
    own = {names[number]: number for number in keypoints}
    source = DatabaseArrays(path, "keypoints", own, _KEYPOINT, width, shift)
    descriptors = _descriptors(database, path, names, keypoints, remarks)
    extractor = next(iter(descriptors.values())).extractor if descriptors else "colmap"
    features = Features(extractor, _KEYPOINT, width, sorted(own), source)
    counts = {names[number]: size.rows for number, size in keypoints.items()}
    return Reconstruction(
        keypoints={KEYPOINTS_TYPE: features},
        descriptors=descriptors,
        matches=_matches(database, path, names, counts, remarks),
    )


def _sizes(
    database: sqlite3.Connection, path: Path, table: str, names: Mapping[int, str], remarks: Remarks
) -> dict[int, Sizes]:
    typed = ", type" if "type" in columns_of(database, table) else ""
    query = f"SELECT {_KEY[table]}, rows, cols, ifnull(length(data), 0){typed} FROM {table} ORDER BY 1"  # noqa: S608
    sizes = {}
    for number, *rest in database.execute(query):
        if not all(isinstance(value, int) for value in (number, *rest)) or min(rest[:3]) < 0:
            raise DataError(f"{path}: table {table}, row {number}: sizes {rest}, expected whole numbers")
        if number in names:
            sizes[number] = Sizes(*rest)
        else:
            remarks.lose(path, f"{table} left out: no such image", first=str(number))
    return sizes


def _descriptors(
    database: sqlite3.Connection,
    path: Path,
    names: Mapping[int, str],
    keypoints: Mapping[int, Sizes],
    remarks: Remarks,
) -> dict[str, Features]:
    sizes = _sizes(database, path, "descriptors", names, remarks)
    if not sizes:
        return {}
    kinds = {(size.kind, size.columns) for size in sizes.values() if size.rows} or {(SIFT, 128)}
    kind, columns = min(kinds)
    if len(kinds) > 1 or kind not in EXTRACTORS:
        raise DataError(f"{path}: descriptors of (type, width) {sorted(kinds)}, expected one, of type {[*EXTRACTORS]}")
    for number, size in sizes.items():
        expected = keypoints[number].rows if number in keypoints else 0
        if size.rows != expected or size.num_bytes != size.rows * size.columns:
            found = f"{size.rows} descriptors in {size.num_bytes} bytes for {expected} keypoints"
            raise DataError(f"{path}: image '{names[number]}' has {found}")
    # Learned descriptors are float32; the table counts their bytes.
    dtype = np.dtype(np.uint8) if kind in (SIFT, UNDEFINED) else _KEYPOINT
    if columns % dtype.itemsize:
        raise DataError(f"{path}: {EXTRACTORS[kind]} descriptors of {columns} bytes, expected whole float32 numbers")
    own = {names[number]: number for number in sizes}
    width = columns // dtype.itemsize
    source = DatabaseArrays(path, "descriptors", own, dtype, width)
    return {KEYPOINTS_TYPE: Features(EXTRACTORS[kind], dtype, width, sorted(own), source, KEYPOINTS_TYPE, "L2")}


def _matches(
    database: sqlite3.Connection, path: Path, names: Mapping[int, str], counts: Mapping[str, int], remarks: Remarks
) -> dict[str, MatchedPairs]:
    """The inliers of verified pairs where there are any, else the raw matches."""
    tables = {table: _pairs(database, path, table, names, remarks) for table in ("two_view_geometries", "matches")}
    table = "two_view_geometries" if tables["two_view_geometries"] else "matches"
    if table != "matches" and tables["matches"]:
        remarks.add(path, "pairs with raw matches not read: their verified inliers are", len(tables["matches"]))
    if not tables[table]:
        return {}
    keys = {(min(pair), max(pair)): number for number, pair in tables[table].items()}
    swapped = frozenset((second, first) for first, second in tables[table].values() if first > second)
    arrays = DatabaseArrays(path, table, keys, _INDEX, 2)
    return {KEYPOINTS_TYPE: MatchedPairs(sorted(keys), DatabaseMatches(arrays, swapped, counts))}


def _pairs(
    database: sqlite3.Connection, path: Path, table: str, names: Mapping[int, str], remarks: Remarks
) -> dict[int, tuple[str, str]]:
    """(first, second) image of each row that holds matches, by pair id."""
    pairs = {}
    query = f"SELECT pair_id, rows, cols, ifnull(length(data), 0) FROM {table} WHERE rows > 0 ORDER BY 1"  # noqa: S608
    for number, rows, columns, num_bytes in database.execute(query):
        if not all(isinstance(value, int) for value in (number, rows, columns)):
            raise DataError(f"{path}: table {table}, row {number!r:.40}: sizes {rows!r:.40}, {columns!r:.40}")
        first, second = divmod(number, MAX_IMAGE_ID)
        if first not in names or second not in names or first == second:
            remarks.lose(path, f"{table} left out: no such images", first=f"{first} and {second}")
            continue
        if columns != 2 or num_bytes != rows * 2 * _INDEX.itemsize:
            raise DataError(f"{path}: {table} of images {first} and {second}: {num_bytes} bytes, expected {rows} pairs")
        pairs[number] = names[first], names[second]
    return pairs
