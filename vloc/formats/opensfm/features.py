"""OpenSfM's features (.npz, never with pickled objects) and tracks.csv."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np

from ...data.reconstruction import Features
from ...errors import DataError
from ...geometry.camera import Camera
from ...regular_file import is_regular, open_regular
from ..images import FolderImages
from ..quiet import quiet
from ..remarks import Remarks
from ..text_fields import parse_float, parse_integer, refusal
from ..text_lines import lines_of

VERSION = "OPENSFM_TRACKS_VERSION_v1"
# Fields of a row by version; none is a file of before versions. Rows are image, track, feature, x, y and more.
_FIELDS = {VERSION: 9, "OPENSFM_TRACKS_VERSION_v2": 11, "": 8}
MAX_BYTES = 4 << 30
SUFFIX = ".features.npz"


# What damaged zip files and headers of arrays raise.
_BROKEN = (
    OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, MemoryError,
    SyntaxError, TokenError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """tracks.csv in columns: image names, ids of tracks, numbers of features, positions as fractions."""

    images: list[str]
    tracks: list[str]
    features: list[int]
    positions: list[tuple[float, float]]


def read_tracks(path: Path) -> Rows:
    """All rows; DataError names the line that is broken."""
    rows, lines = Rows([], [], [], []), lines_of(path)
    version = lines[0].strip() if lines and lines[0].startswith("OPENSFM_TRACKS") else ""
    if version not in _FIELDS:
        raise refusal(path, 1, "unknown version of tracks", f"one of {', '.join(filter(None, _FIELDS))}", version)
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (number == 1 and version):
            continue
        fields = line.split("\t")
        if len(fields) != _FIELDS[version]:
            raise refusal(path, number, f"{len(fields)} fields", f"{_FIELDS[version]} between tabs", line)
        try:
            feature, x, y = parse_integer(fields[2]), parse_float(fields[3]), parse_float(fields[4])
        except ValueError as error:
            raise refusal(path, number, str(error), "image, track, feature, x, y, ...", line) from None
        if feature < 0:
            raise refusal(path, number, f"feature {feature}", "a number from 0 up")
        rows.images.append(fields[0])
        rows.tracks.append(fields[1])
        rows.features.append(feature)
        rows.positions.append((x, y))
    return rows


@dataclass(frozen=True, eq=False)
class NpzArrays:
    """`points` (x, y, size, angle) or `descriptors` of the images' feature files."""

    folder: Path
    key: str
    cameras: Mapping[str, Camera]

    def load(self, image: str | tuple[str, str]) -> np.ndarray:
        """Keypoints in px (angles as they are), or descriptors."""
        path = FolderImages(self.folder).path(f"{image}{SUFFIX}")
        array = load_npz(path, self.key)
        if self.key != "points":
            return array
        camera = self.cameras[str(image)]
        if array.ndim != 2 or array.shape[1] < 2 or not np.isfinite(array).all():
            raise DataError(f"{path}: points: shape {array.shape}, expected finite rows x, y, size, angle")
        keypoints = array.astype(np.float64)
        keypoints[:, :3] *= max(camera.width, camera.height)
        keypoints[:, :2] += (camera.width / 2, camera.height / 2)
        return keypoints


def load_npz(path: Path, key: str) -> np.ndarray:
    """An array of numbers from an .npz file; what would need unpickling is refused."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            size = archive.getinfo(f"{key}.npy").file_size
        if size > MAX_BYTES:
            raise DataError(f"{path}: {key}: {size} bytes, expected at most {MAX_BYTES}")
        with quiet(), open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
            array: np.ndarray = arrays[key]
    except _BROKEN as error:
        raise DataError(f"{path}: {key}: broken or pickled features: {error}") from None
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: {key}: values of type {array.dtype}, expected numbers")
    return array


def read_features(
    folder: Path, cameras: Mapping[str, Camera], kind: str, remarks: Remarks
) -> tuple[Features | None, Features | None]:
    """Keypoints and descriptors of the images, where every image has a file of features; else none, with a remark."""
    missing = [name for name in cameras if not is_regular(folder / f"{name}{SUFFIX}")]
    if missing or not cameras:
        if len(missing) < len(cameras):
            remarks.add(folder, "images without features: those of the others left unread", len(missing), missing[0])
        return None, None
    images = sorted(cameras)
    first = FolderImages(folder).path(f"{images[0]}{SUFFIX}")
    points, codes = load_npz(first, "points"), load_npz(first, "descriptors")
    keypoints = Features(kind, np.dtype(np.float64), points.shape[-1], images, NpzArrays(folder, "points", cameras))
    source = NpzArrays(folder, "descriptors", cameras)
    return keypoints, Features(kind, codes.dtype, codes.shape[-1], images, source, kind, "L2")
