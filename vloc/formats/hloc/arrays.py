"""hloc's arrays as features and matches, read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...array_types import Float64
from ...data.reconstruction import Features, MatchedPairs
from ...errors import DataError
from ...regular_file import stamp_of
from ..remarks import Remarks
from .h5 import StoredArray, load

# hloc puts the centre of the first pixel at (0, 0); here it is (0.5, 0.5).
HALF_PIXEL = 0.5


@dataclass(frozen=True, eq=False)
class HlocFeatures:
    """`keypoints` (n, 2), `descriptors` (d, n) or `global_descriptor` (d,) of images, as rows."""

    path: Path
    key: str

    def stamp(self, image: str | tuple[str, str]) -> str:
        """Size and time of the file, which holds all images."""
        return stamp_of(self.path)

    def load(self, image: str | tuple[str, str]) -> np.ndarray:
        """Keypoints at our pixel centres; descriptors as rows."""
        array = load(self.path, f"{image}/{self.key}")
        if self.key == "global_descriptor":
            return array[None]
        if self.key == "descriptors":
            return np.ascontiguousarray(array.T)
        # Half precision cannot hold the sum: 2049 + 0.5 would round.
        keypoints = array.astype(np.promote_types(array.dtype, np.float32)) + HALF_PIXEL
        if not np.isfinite(keypoints).all():
            raise DataError(f"{self.path}: {image}/{self.key}: numbers that are not finite")
        return keypoints


@dataclass(frozen=True, eq=False)
class HlocMatches:
    """`matches0`: for each keypoint of the first image the row in the second, or -1. `places`: group by pair."""

    path: Path
    places: dict[tuple[str, str], tuple[str, bool]]
    counts: dict[str, int]
    with_scores: frozenset[str]

    def stamp(self, pair: str | tuple[str, str]) -> str:
        """Size and time of the file, which holds all pairs."""
        return stamp_of(self.path)

    def load(self, pair: str | tuple[str, str]) -> Float64[np.ndarray, "m 3"]:
        """Rows (index in first, index in second, score); the score is 1 where the file has none."""
        assert isinstance(pair, tuple)  # noqa: S101 - matches are asked for by pair
        group, is_swapped = self.places[pair]
        partners = load(self.path, f"{group}/matches0").astype(np.int64)
        rows = np.flatnonzero(partners >= 0)
        first, second = pair[::-1] if is_swapped else pair
        limit = self.counts.get(second, 0)
        if len(partners) != self.counts.get(first, 0) or (partners >= limit).any():
            sizes = f"{self.counts.get(first, 0)} and {limit} keypoints"
            raise DataError(
                f"{self.path}: {group}/matches0: {len(partners)} rows up to {partners.max()}, there are {sizes}"
            )
        scores = load(self.path, f"{group}/matching_scores0")[rows] if group in self.with_scores else np.ones(len(rows))
        columns = (partners[rows], rows) if is_swapped else (rows, partners[rows])
        return np.column_stack([*columns, scores]).astype(np.float64)


def features_of(
    path: Path, found: dict[str, dict[str, StoredArray]], key: str, keypoints_type: str, remarks: Remarks
) -> Features | None:
    """The features of one kind in a file; DataError for shapes that differ between images."""
    own = {image: arrays[key] for image, arrays in found.items() if key in arrays}
    if not own:
        return None
    axis = {"keypoints": 1, "descriptors": 0, "global_descriptor": 0}[key]
    ndim = 1 if key == "global_descriptor" else 2
    first, shape = next(iter(own.items()))
    for image, array in own.items():
        width = array.shape[axis] if len(array.shape) == ndim else None
        if width is None or width != shape.shape[axis] or (key == "keypoints" and width != 2):
            raise DataError(f"{path}: {image}/{key}: shape {array.shape}, {first} has {shape.shape}")
        if key == "descriptors":
            _check_count(path, image, array.shape[1], found[image].get("keypoints"))
    halves = sum(array.dtype == np.float16 for array in own.values())
    if key == "keypoints" and halves:
        remarks.add(path, "images with keypoints in half precision, off by up to 1 px", halves, first)
    dtype = np.promote_types(shape.dtype, np.float32) if key == "keypoints" else shape.dtype
    metric = "" if key == "keypoints" else "L2"
    source = HlocFeatures(path, key)
    return Features(path.stem, dtype, shape.shape[axis], sorted(own), source, keypoints_type, metric)


def _check_count(path: Path, image: str, count: int, keypoints: StoredArray | None) -> None:
    if keypoints is None or keypoints.shape[0] != count:
        there = 0 if keypoints is None else keypoints.shape[0]
        raise DataError(f"{path}: {image}/descriptors: {count} columns, there are {there} keypoints")


def matches_of(
    path: Path, found: dict[str, dict[str, StoredArray]], counts: dict[str, int], remarks: Remarks
) -> MatchedPairs:
    """The pairs of a file. hloc writes '-' for '/' in names: DataError where that makes two names one."""
    name_of = escaped_names(path, list(counts))
    places: dict[tuple[str, str], tuple[str, bool]] = {}
    for group, arrays in found.items():
        if "matches0" not in arrays:
            continue
        parts = group.split("/")
        if len(parts) != 2 or parts[0] not in name_of or parts[1] not in name_of:
            raise DataError(
                f"{path}: {group}: expected two names of images with keypoints, '/' as '-', one in the other"
            )
        first, second = name_of[parts[0]], name_of[parts[1]]
        pair = (min(first, second), max(first, second))
        if pair in places:
            remarks.lose(path, "pairs that are there in both orders, the second left out", first=group)
            continue
        places[pair] = group, first > second
    scored = frozenset(group for group, arrays in found.items() if "matching_scores0" in arrays)
    return MatchedPairs(sorted(places), HlocMatches(path, places, counts, scored))


def escaped_names(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The image of each escaped name."""
    name_of: dict[str, str] = {}
    for name in names:
        other = name_of.setdefault(name.replace("/", "-"), name)
        if other != name:
            raise DataError(f"{path}: images '{other}' and '{name}' have one key in hloc's matches, where '/' is '-'")
    return name_of
