"""Features of images that are kept beside their capture: a folder of one type, a kapture folder, hloc's .h5 files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..data.reconstruction import Reconstruction
from ..errors import DataError
from . import hloc
from .kapture.beside import kinds_beside, read_beside
from .kapture.features import Part
from .kapture.reconstruction import read_reconstruction
from .kapture.sensors import read_version, required
from .remarks import Remarks


def read_features_beside(path: Path, images: Sequence[str], pixel_center: float) -> Reconstruction:
    """What a path holds of some images; what it holds of others is left alone. DataError for anything else there.

    `pixel_center`: where kapture's keypoints put the centre of the first pixel, px; hloc's have it at 0.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder of features")
    if hloc.recognises(path):
        return hloc.read_arrays(path, Remarks()).work
    if (path / "reconstruction").is_dir():
        version = read_version(required(path / "sensors" / "sensors.txt"))
        rows = {image: row for row, image in enumerate(images)}
        made = read_reconstruction(Part(path, version, rows, 0.5 - pixel_center, Remarks()))
        return made or Reconstruction()
    if kinds_beside(path):
        return read_beside(path, images, pixel_center)
    below = [child.name for child in sorted(path.iterdir()) if kinds_beside(child)] if path.is_dir() else []
    hint = f"; take one of those below: {', '.join(below)}" if below else ""
    expected = "keypoints/keypoints.txt, descriptors/, global_features/, matches/, reconstruction/ or .h5 files"
    raise DataError(f"{path}: no features here, expected {expected}{hint}")
