"""OpenMVG's regions: NAME.feat (text lines `x y scale orientation`) and NAME.desc (a count, then rows).

Files are named after an image without folder and suffix, so images whose names differ only there have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...array_types import Float64
from ...data.reconstruction import Features
from ...errors import DataError
from ...regular_file import is_regular
from ..images import FolderImages
from ..remarks import Remarks
from ..scene_text import LineReader
from ..text_fields import read_bytes

COUNT_BYTES = 8
SIFT_WIDTH = 128


@dataclass(frozen=True, eq=False)
class FeatArrays:
    """Keypoints of images, moved by `shift` px. `stems`: the file of each image, without suffix."""

    folder: Path
    stems: Mapping[str, str]
    shift: float

    def load(self, image: str | tuple[str, str]) -> Float64[np.ndarray, "n 4"]:
        """Columns x, y, scale, orientation (radians, as OpenMVG has it)."""
        path = FolderImages(self.folder).path(f"{self.stems[str(image)]}.feat")
        reader = LineReader(path)
        rows = [reader.numbers(4, "x y scale orientation") for _ in range(reader.left)]
        array = np.array(rows, np.float64).reshape(-1, 4)
        array[:, :2] += self.shift
        return array


@dataclass(frozen=True, eq=False)
class DescArrays:
    """SIFT descriptors of images: 128 bytes a row."""

    folder: Path
    stems: Mapping[str, str]

    def load(self, image: str | tuple[str, str]) -> np.ndarray:
        """The rows; DataError unless the file is as long as its count says."""
        path = FolderImages(self.folder).path(f"{self.stems[str(image)]}.desc")
        data = read_bytes(path)
        count = int.from_bytes(data[:COUNT_BYTES], "little")
        if len(data) != COUNT_BYTES + count * SIFT_WIDTH:
            rows = f"{count} rows of {SIFT_WIDTH} bytes"
            raise DataError(
                f"{path}: {len(data)} bytes, expected {COUNT_BYTES} and {rows} (SIFT is the only kind read)"
            )
        return np.frombuffer(data, np.uint8, offset=COUNT_BYTES).reshape(count, SIFT_WIDTH)


def stems_of(names: Sequence[str]) -> dict[str, str] | None:
    """Image name -> name of its files; None where two images would share them."""
    stems = {name: Path(name).stem for name in names}
    return stems if len(set(stems.values())) == len(names) else None


def read_regions(
    folders: Sequence[Path], names: Sequence[str], kind: str, shift: float, remarks: Remarks
) -> tuple[Features | None, Features | None]:
    """Keypoints and descriptors from the first folder that has any, where every image has them."""
    folder = next((folder for folder in folders if any(folder.glob("*.feat"))), None)
    if folder is None:
        return None, None
    stems = stems_of(names)
    missing = [name for name, stem in (stems or {}).items() if not is_regular(folder / f"{stem}.feat")]
    if stems is None or missing:
        why = "images share names but for folder and suffix" if stems is None else f"{missing[0]} has none"
        remarks.add(folder, f"folders of features left unread: {why}")
        return None, None
    keypoints = Features(kind, np.dtype(np.float64), 4, sorted(names), FeatArrays(folder, stems, shift))
    if not all(is_regular(folder / f"{stem}.desc") for stem in stems.values()):
        return keypoints, None
    return keypoints, Features(
        kind, np.dtype(np.uint8), SIFT_WIDTH, sorted(names), DescArrays(folder, stems), kind, "L2"
    )


def write_regions(folder: Path, keypoints: Features, stems: Mapping[str, str], shift: float) -> None:
    """A .feat file for each image; scale 1 and orientation 0 where the keypoints have neither."""
    known = set(keypoints.images)
    for name, stem in stems.items():
        array = keypoints.load(name).astype(np.float64) if name in known else np.zeros((0, keypoints.width))
        rest = array[:, 2:4] if keypoints.width == 4 else np.tile([1.0, 0.0], (len(array), 1))
        rows = np.hstack([array[:, :2] + shift, rest]).tolist()
        text = "".join(f"{' '.join(map(repr, row))}\n" for row in rows)
        (folder / f"{stem}.feat").write_text(text, encoding="ascii")


def write_descriptors(folder: Path, descriptors: Features, stems: Mapping[str, str]) -> None:
    """A .desc file for each image; only SIFT's 128 bytes."""
    known = set(descriptors.images)
    for name, stem in stems.items():
        array = descriptors.load(name) if name in known else np.zeros((0, SIFT_WIDTH), np.uint8)
        (folder / f"{stem}.desc").write_bytes(len(array).to_bytes(COUNT_BYTES, "little") + array.tobytes())
