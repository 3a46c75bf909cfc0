"""Features of one type in a folder beside the captures they are of, as kapture-localization's users keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...data.reconstruction import Features, Reconstruction
from ..remarks import Remarks
from .features import SUFFIXES, Part, read_type, row_counts, with_keypoints
from .matches import SUFFIX
from .matches import read_type as read_matches_type
from .sensors import read_version


def kinds_beside(folder: Path) -> list[str]:
    """Which of keypoints, descriptors, global features and matches a folder holds directly."""
    kinds = [kind for kind in SUFFIXES if (folder / kind / f"{kind}.txt").is_file()]
    return kinds + ["matches"] * _holds_matches(folder / "matches")


def _holds_matches(folder: Path) -> bool:
    return (folder / "matches.tar").is_file() or (
        folder.is_dir() and next(folder.rglob(f"*{SUFFIX}"), None) is not None
    )


def read_beside(folder: Path, images: Sequence[str], pixel_center: float) -> Reconstruction:
    """What a folder holds of some images, its type named as the folder; DataError as of a kapture folder."""
    rows, remarks, name = {image: row for row, image in enumerate(images)}, Remarks(), folder.name
    found: dict[str, dict[str, Features]] = {kind: {} for kind in SUFFIXES}
    for kind in kinds_beside(folder):
        if kind == "matches":
            continue
        version = read_version(folder / kind / f"{kind}.txt")
        part = Part(folder, version, rows, 0.5 - pixel_center, remarks)
        found[kind][name] = read_type(part, kind, folder / kind)
    keypoints = found["keypoints"]
    own = {key: replace(features, keypoints_type=name) for key, features in found["descriptors"].items() if keypoints}
    part = Part(folder, "1.1", rows, 0.5 - pixel_center, remarks)
    descriptors = with_keypoints(part, own or found["descriptors"], keypoints)
    counts = row_counts(keypoints[name]) if keypoints else {}
    matches = {name: read_matches_type(part, folder / "matches", counts)} if _holds_matches(folder / "matches") else {}
    return Reconstruction(None, {}, keypoints, descriptors, found["global_features"], matches)
