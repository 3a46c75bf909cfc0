"""Writing an hloc folder: names that its keys cannot tell apart, or its lists cannot hold, are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Features, MatchedPairs, Reconstruction
from ...errors import DataError
from ..base import WriteOptions
from ..camera_text import format_number
from ..colmap.export import chosen_keypoints
from ..kapture.write import transfer_files
from ..scene_export import check_unicode, counted, other_records
from .arrays import HALF_PIXEL, escaped_names
from .h5 import write_groups

Groups = Iterator[tuple[str, Mapping[str, np.ndarray]]]


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """features.h5, matches.h5, global_features.h5, pairs.txt, queries_with_intrinsics.txt and images/, as there are."""
    work = capture.reconstruction or Reconstruction()
    kind = chosen_keypoints(capture, options.keypoints_type)
    check_unicode(capture.images.names)
    for name in capture.images.names:
        _check_name(name)
    path.mkdir()
    _write_list(capture, path / "queries_with_intrinsics.txt", options)
    descriptors = [features for features in work.descriptors.values() if features.keypoints_type == kind]
    if kind is not None:
        own = descriptors[0] if len(descriptors) == 1 else None
        write_groups(path / "features.h5", _features(capture, work.keypoints[kind], own))
    vectors = list(work.global_features.values())
    if len(vectors) == 1:
        groups = ((name, {"global_descriptor": vectors[0].load(name).reshape(-1)}) for name in vectors[0].images)
        write_groups(path / "global_features.h5", groups)
    twice = _write_matches(path, work.matches[kind], work.keypoints[kind]) if kind in work.matches and kind else 0
    losses = {
        "poses": len(capture.trajectory),
        "times of images, replaced by their places": len(capture.images),
        "names of sensors": len(capture.sensors),
        "rig members": len(capture.rigs),
        **other_records(capture),
        "points": len(work.points or ()),
        "observations": sum(map(len, work.observations.values())),
        "types of keypoints": len(work.keypoints) - 1,
        "columns of keypoints after x and y": work.keypoints[kind].width - 2 if kind else 0,
        "types of descriptors": len(work.descriptors) - (len(descriptors) == 1),
        "types of global features": len(work.global_features) - (len(vectors) == 1),
        "types of matches": len(work.matches) - (kind in work.matches),
        "matches of a keypoint that has another in the same image": twice,
    }
    return counted(losses) + transfer_files(capture.files, capture.images.names, path / "images", options.transfer)


def _check_name(name: str) -> None:
    """DataError for a name that lists, split at blanks, or HDF5 paths would not give back."""
    if len(name.split()) != 1 or name.startswith("#") or any(part in ("", ".") for part in name.split("/")):
        raise DataError(
            f"image '{name}' cannot be written: hloc's lists have no blanks in names, its keys no '.' or '//'"
        )


def _write_list(capture: Capture, path: Path, options: WriteOptions) -> None:
    lines = []
    for name in capture.images.names:
        camera = capture.camera(name).shifted(options.pixel_center - 0.5)
        params = [camera.model, str(camera.width), str(camera.height), *map(format_number, camera.params)]
        lines.append(f"{name} {' '.join(params)}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _features(capture: Capture, keypoints: Features, descriptors: Features | None) -> Groups:
    """Full precision: hloc's own half precision moves keypoints by up to 1 px."""
    described = set(descriptors.images) if descriptors else set()
    for name in keypoints.images:
        camera = capture.camera(name)
        arrays = {"keypoints": keypoints.load(name)[:, :2].astype(np.float64) - HALF_PIXEL}
        arrays["image_size"] = np.array([camera.width, camera.height])
        if descriptors is not None and name in described:
            arrays["descriptors"] = np.ascontiguousarray(descriptors.load(name).T)
        yield name, arrays


def _write_matches(path: Path, matches: MatchedPairs, keypoints: Features) -> int:
    """matches.h5 and pairs.txt; the number of matches that did not fit: a keypoint has one partner in an image."""
    escaped_names(path / "matches.h5", keypoints.images)
    left_out = 0

    def groups() -> Groups:
        nonlocal left_out
        for pair in matches.pairs:
            rows = matches.load(pair)
            best = rows[np.lexsort((rows[:, 1], -rows[:, 2], rows[:, 0]))]
            first = np.unique(best[:, 0], return_index=True)[1]
            left_out += len(rows) - len(first)
            partners = np.full(len(keypoints.load(pair[0])), -1, np.int32)
            scores = np.zeros(len(partners))
            own = best[first]
            partners[own[:, 0].astype(int)], scores[own[:, 0].astype(int)] = own[:, 1].astype(int), own[:, 2]
            yield "/".join(name.replace("/", "-") for name in pair), {"matches0": partners, "matching_scores0": scores}

    write_groups(path / "matches.h5", groups())
    (path / "pairs.txt").write_text("".join(f"{a} {b}\n" for a, b in matches.pairs), encoding="utf-8")
    return left_out
