"""kapture's matches: a file a pair, whose name holds both images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...array_types import Float64
from ...data.reconstruction import Features, MatchedPairs
from ...errors import DataError
from .features import Part, row_counts
from .storage import Storage, open_storage

SUFFIX = ".matches"
SEPARATOR = ".overlapping/"
_DTYPE, _WIDTH = np.dtype("<f8"), 3


@dataclass(frozen=True, eq=False)
class MatchArrays:
    """Matches in their storage. `members`: the file of each pair, and whether it has the images the other way round."""

    storage: Storage
    members: Mapping[tuple[str, str], tuple[str, bool]]
    counts: Mapping[str, int]

    def stamp(self, key: str | tuple[str, str]) -> str:
        """That of the file."""
        return self.storage.stamp(self.members[key][0])  # type: ignore[index]

    def load(self, key: str | tuple[str, str]) -> Float64[np.ndarray, "m 3"]:
        """(index in first, index in second, score) rows; DataError for indices that are no keypoints."""
        member, swapped = self.members[key]  # type: ignore[index]
        matches = self.storage.array(member, _DTYPE, _WIDTH)
        matches = matches[:, [1, 0, 2]] if swapped else matches
        indices = matches[:, :2]
        limits = [self.counts.get(image, np.inf) for image in key]
        if not (np.isfinite(matches).all() and (indices == np.rint(indices)).all() and (indices >= 0).all()):
            raise DataError(f"{self.storage.where(member)}: matches that are not whole numbers with a finite score")
        if (indices >= limits).any():
            raise DataError(f"{self.storage.where(member)}: an index beyond the {limits} keypoints of {key}")
        return matches


def read_matches(part: Part, keypoints: Mapping[str, Features]) -> dict[str, MatchedPairs]:
    """All types. Names of a pair come in order, its columns with them, whichever way the file was named."""
    folder = part.folder / "matches"
    if not folder.is_dir():
        return {}
    if part.version == "1.0":
        kinds = {next(iter(keypoints), ""): folder}
    else:
        kinds = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    counts = {kind: row_counts(features) for kind, features in keypoints.items()}
    return {kind: read_type(part, path, counts.get(kind, {})) for kind, path in kinds.items()}


def read_type(part: Part, folder: Path, counts: Mapping[str, int]) -> MatchedPairs:
    """The matches in a folder, of images with `counts` keypoints where these are known."""
    storage = open_storage(folder, "matches", SUFFIX, part.remarks)
    members: dict[tuple[str, str], tuple[str, bool]] = {}
    for member in storage.sizes:
        first, second = _names(storage, member)
        if first not in part.image_rows or second not in part.image_rows:
            part.remarks.lose(folder, "matches left out: records_camera.txt has no such image", first=member)
            continue
        storage.rows(member, _DTYPE, _WIDTH)
        pair = (min(first, second), max(first, second))
        if pair in members:
            raise DataError(f"{storage.where(member)}: the pair is there both ways round")
        members[pair] = member, first > second
    return MatchedPairs(sorted(members), MatchArrays(storage, members, counts))


def _names(storage: Storage, member: str) -> tuple[str, str]:
    names = member.removesuffix(SUFFIX).split(SEPARATOR)
    if len(names) != 2 or names[0] == names[1]:
        raise DataError(f"{storage.where(member)}: expected FIRST{SEPARATOR}SECOND{SUFFIX} of two images")
    return names[0], names[1]
