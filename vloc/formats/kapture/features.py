"""kapture's keypoints, descriptors, global features and matches, by type; arrays are read when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...data.reconstruction import Features
from ...errors import DataError
from ..remarks import Remarks
from ..text_fields import parse_integer, refusal
from ..text_tables import read_lines
from .storage import Storage, open_storage

SUFFIXES = {"keypoints": ".kpt", "descriptors": ".desc", "global_features": ".gfeat"}
COLUMNS = {
    "keypoints": ("name", "dtype", "dsize"),
    "descriptors": ("name", "dtype", "dsize", "keypoints_type", "metric_type"),
    "global_features": ("name", "dtype", "dsize", "metric_type"),
}
# kapture evaluates this text as Python; these are the names that mean a type there. Files are little endian.
_NAMES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = {name: np.dtype(name).newbyteorder("<") for name in _NAMES}
DTYPES |= {"float": DTYPES["float64"], "int": DTYPES["int64"]}
# What 1.0 leaves unsaid; the metric is the one that kapture's own upgrade writes.
_METRIC_OF_1_0 = "L2"


@dataclass(frozen=True, eq=False)
class FeatureArrays:
    """The arrays of one type in their storage; keypoints are moved to vloc's pixel convention."""

    storage: Storage
    suffix: str
    dtype: np.dtype
    width: int
    shift: float = 0.0

    def load(self, key: str | tuple[str, str]) -> np.ndarray:
        """The (n, width) array of an image."""
        member = f"{key}{self.suffix}"
        if member not in self.storage.sizes:
            raise DataError(f"{self.storage.where(member)}: no such features")
        array = self.storage.array(member, self.dtype, self.width)
        if self.suffix == SUFFIXES["keypoints"]:
            return self._moved(array, member)
        return array

    def stamp(self, key: str | tuple[str, str]) -> str:
        """That of the file, and how keypoints are moved."""
        return f"{self.storage.stamp(f'{key}{self.suffix}')} {self.shift}"

    def _moved(self, array: np.ndarray, member: str) -> np.ndarray:
        if array.dtype.kind == "f" and not np.isfinite(array[:, :2]).all():
            raise DataError(f"{self.storage.where(member)}: keypoints that are not finite numbers")
        if self.shift == 0:
            return array
        moved = array.astype(moved_dtype(array.dtype))
        moved[:, :2] += self.shift
        return moved


def moved_dtype(dtype: np.dtype) -> np.dtype:
    """The type of keypoints once they are moved by half a pixel: whole numbers become floats."""
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


@dataclass(frozen=True)
class Part:
    """What reading the reconstruction of a folder needs: `image_rows` are rows of the capture's images by name."""

    root: Path
    version: str
    image_rows: Mapping[str, int]
    shift: float
    remarks: Remarks

    @property
    def folder(self) -> Path:
        """The folder of everything computed."""
        return self.root / "reconstruction"


def read_features(part: Part, kind: str) -> dict[str, Features]:
    """All types of one kind; DataError for files of broken rows and for several global descriptors of one image."""
    return {name: read_type(part, kind, path) for name, path in _types(part, kind).items()}


def _types(part: Part, kind: str) -> dict[str, Path]:
    """The folder of each type; in 1.0 there is one, named by its text file."""
    folder = part.folder / kind
    if not folder.is_dir():
        return {}
    text = folder / f"{kind}.txt"
    if part.version == "1.0":
        return {_config(part, kind, text)[0]: folder} if text.exists() else {}
    if text.exists():
        raise DataError(f"{text}: in kapture 1.1 this file is one folder deeper; is this a 1.0 folder?")
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}


def read_type(part: Part, kind: str, folder: Path) -> Features:
    """One type of one kind in its folder; DataError for files of broken rows."""
    fields = _config(part, kind, folder / f"{kind}.txt")
    extractor, dtype, width = fields[0], DTYPES[fields[1]], int(fields[2])
    storage, suffix = open_storage(folder, kind, SUFFIXES[kind], part.remarks), SUFFIXES[kind]
    images = _known_images(part, kind, storage)
    for image in images:
        rows = storage.rows(f"{image}{suffix}", dtype, width)
        if kind == "global_features" and rows != 1:
            raise DataError(f"{storage.where(image + suffix)}: {rows} rows, expected 1")
    shift = part.shift if kind == "keypoints" else 0.0
    source = FeatureArrays(storage, suffix, dtype, width, shift)
    features = Features(extractor, moved_dtype(dtype) if shift else dtype, width, images, source)
    if kind == "descriptors":
        return replace(features, keypoints_type=fields[3], metric=fields[4])
    return replace(features, metric=fields[3]) if kind == "global_features" else features


def _known_images(part: Part, kind: str, storage: Storage) -> list[str]:
    """The capture's images that have a file; files of others are remarked."""
    suffix = SUFFIXES[kind]
    known = [image for image in part.image_rows if f"{image}{suffix}" in storage.sizes]
    if extra := storage.sizes.keys() - {f"{image}{suffix}" for image in known}:
        what = f"{kind} left out: records_camera.txt has no such image"
        part.remarks.lose(storage.folder, what, len(extra), min(extra))
    return known


def _config(part: Part, kind: str, path: Path) -> list[str]:
    """The fields of the one data row of a type's text file, checked; what 1.0 leaves out is filled in."""
    if not path.is_file():
        raise DataError(f"{path}: no such file, but its folder is there; was the writing interrupted?")
    columns = COLUMNS[kind][:3] if part.version == "1.0" else COLUMNS[kind]
    rows = list(read_lines(path, columns, part.remarks))
    if len(rows) != 1:
        raise refusal(path, rows[1][0] if rows else None, f"{len(rows)} rows of data", "1")
    line, fields = rows[0]
    if len(fields) != len(columns):
        raise refusal(path, line, f"{len(fields)} fields", ", ".join(columns), ", ".join(fields))
    if part.version == "1.0":
        fields += {"keypoints": [], "descriptors": ["", _METRIC_OF_1_0], "global_features": [_METRIC_OF_1_0]}[kind]
    fields[1] = fields[1].removeprefix("numpy.").removeprefix("np.")
    if fields[1] not in DTYPES:
        raise refusal(path, line, "dtype is not known", f"one of {', '.join(DTYPES)}", fields[1])
    _check_width(path, line, fields[2], 2 if kind == "keypoints" else 1)
    return fields


def _check_width(path: Path, line: int, text: str, least: int) -> None:
    try:
        width = parse_integer(text)
    except ValueError as error:
        raise refusal(path, line, f"dsize: {error}", found=text) from None
    if not least <= width <= 2**20:
        raise refusal(path, line, "dsize out of range", f"{least} or more", text)


def check_descriptors(part: Part, keypoints: Mapping[str, Features]) -> dict[str, Features]:
    """The descriptors, each type with its keypoints. DataError where an image has another number of them."""
    return with_keypoints(part, read_features(part, "descriptors"), keypoints)


def with_keypoints(
    part: Part, descriptors: Mapping[str, Features], keypoints: Mapping[str, Features]
) -> dict[str, Features]:
    """Descriptors with the keypoints they belong to: those they name, or the only ones."""
    checked = {}
    for name, features in descriptors.items():
        kind = features.keypoints_type or (next(iter(keypoints)) if len(keypoints) == 1 else "")
        checked[name] = replace(features, keypoints_type=kind)
        if kind in keypoints:
            _check_counts(features, row_counts(keypoints[kind]), kind)
        else:
            part.remarks.add(part.folder / "descriptors", "types of descriptors without their keypoints", first=name)
    return checked


def _check_counts(features: Features, counts: Mapping[str, int], kind: str) -> None:
    for image, count in row_counts(features).items():
        if counts.get(image) != count:
            found = f"{counts.get(image, 'no')} keypoints of type '{kind}'"
            raise DataError(f"{_where(features, image)}: {count} descriptors for {found}, expected as many")


def row_counts(features: Features) -> dict[str, int]:
    """The number of rows of each image, without reading the arrays where they are in files."""
    source = features.source
    if not isinstance(source, FeatureArrays):
        return {image: len(source.load(image)) for image in features.images}
    return {
        image: source.storage.rows(f"{image}{source.suffix}", source.dtype, source.width) for image in features.images
    }


def _where(features: Features, image: str) -> str:
    source = features.source
    return source.storage.where(f"{image}{source.suffix}") if isinstance(source, FeatureArrays) else image
