"""The reconstruction part of a kapture folder, read and written."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...data.reconstruction import Features, MatchedPairs, Points, Reconstruction
from ...data.records import Records
from ...errors import DataError
from ..base import WriteOptions
from ..images import unsafe_path
from .features import COLUMNS, SUFFIXES, Part, check_descriptors, moved_dtype, read_features
from .matches import SEPARATOR, SUFFIX, read_matches
from .points import OBSERVATION_COLUMNS, POINT_COLUMNS, read_observations, read_points
from .write import write_table


def read_reconstruction(part: Part) -> Reconstruction | None:
    """What was computed, or None where there is no such folder."""
    if not part.folder.is_dir():
        return None
    keypoints = read_features(part, "keypoints")
    points = read_points(part.folder / "points3d.txt", part.remarks) if _has(part, "points3d") else None
    observations = read_observations(part, len(points or ()), keypoints) if _has(part, "observations") else {}
    return Reconstruction(
        points,
        observations,
        keypoints,
        check_descriptors(part, keypoints),
        read_features(part, "global_features"),
        read_matches(part, keypoints),
    )


def _has(part: Part, name: str) -> bool:
    return (part.folder / f"{name}.txt").exists()


def write_reconstruction(work: Reconstruction, images: Records, root: Path, options: WriteOptions) -> list[str]:
    """Write everything, features as single files or, with `options.pack`, in tars; returns what was lost."""
    folder = root / "reconstruction"
    folder.mkdir()
    for kind, by_type in (("keypoints", work.keypoints), ("descriptors", work.descriptors)):
        for name, features in by_type.items():
            _write_features(folder / kind / name, kind, features, options)
    for name, features in work.global_features.items():
        _write_features(folder / "global_features" / name, "global_features", features, options)
    for name, pairs in work.matches.items():
        _write_matches(folder / "matches" / name, pairs, options.pack)
    if work.points is not None:
        columns = POINT_COLUMNS[: 3 if work.points.rgb is None else 6]
        write_table(folder / "points3d.txt", columns, _point_rows(work.points))
    if work.observations:
        rows = _observation_rows(work, images)
        write_table(folder / "observations.txt", OBSERVATION_COLUMNS, rows)
    errors = work.points is not None and work.points.errors is not None
    return [f"{len(work.points)} reprojection errors of points"] if errors and work.points else []


def _write_features(folder: Path, kind: str, features: Features, options: WriteOptions) -> None:
    shift = options.pixel_center - 0.5 if kind == "keypoints" else 0.0
    dtype = moved_dtype(features.dtype) if shift else features.dtype
    fields = [features.extractor, dtype.name, str(features.width)]
    extra = {"keypoints": [], "descriptors": [features.keypoints_type, features.metric]}
    _make_folder(folder)
    row = [*fields, *extra.get(kind, [features.metric])]
    write_table(folder / f"{kind}.txt", COLUMNS[kind], [row])
    arrays = ((f"{image}{SUFFIXES[kind]}", _moved(features.load(image), dtype, shift)) for image in features.images)
    _write_arrays(folder, kind, arrays, options.pack)


def _moved(array: np.ndarray, dtype: np.dtype, shift: float) -> np.ndarray:
    if not shift:
        return array
    moved = array.astype(dtype)
    moved[:, :2] += shift
    return moved


def _write_matches(folder: Path, pairs: MatchedPairs, pack: bool) -> None:
    _make_folder(folder)
    arrays = ((f"{min(pair)}{SEPARATOR}{max(pair)}{SUFFIX}", _ordered(pairs, pair)) for pair in pairs.pairs)
    _write_arrays(folder, "matches", arrays, pack)


def _ordered(pairs: MatchedPairs, pair: tuple[str, str]) -> np.ndarray:
    """Columns in the order of the names: kapture looks pairs up that way."""
    matches = pairs.load(pair).astype("<f8")
    return matches if pair[0] < pair[1] else matches[:, [1, 0, 2]]


def _make_folder(folder: Path) -> None:
    if reason := unsafe_path(folder.name):
        raise DataError(f"feature type '{folder.name}' cannot be written: {reason}")
    folder.mkdir(parents=True)


def _write_arrays(folder: Path, kind: str, arrays: Iterable[tuple[str, np.ndarray]], pack: bool) -> None:
    if not pack:
        for name, array in arrays:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(_little_endian(array))
        return
    with tarfile.open(folder / f"{kind}.tar", "w:", format=tarfile.PAX_FORMAT) as tar:
        for name, array in arrays:
            data, member = _little_endian(array), tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def _little_endian(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _point_rows(points: Points) -> Iterator[list[str]]:
    colors = [[]] * len(points) if points.rgb is None else points.rgb.tolist()
    for xyz, rgb in zip(points.xyz.tolist(), colors, strict=True):
        yield [*map(repr, xyz), *map(str, rgb)]


def _observation_rows(work: Reconstruction, images: Records) -> Iterator[list[str]]:
    """One row a point and type, sorted by both, as kapture writes them."""
    rows = []
    for kind, seen in work.observations.items():
        order = np.argsort(seen.points, kind="stable")
        bounds = np.flatnonzero(np.diff(seen.points[order])) + 1
        for own in np.split(order, bounds) if len(order) else []:
            pairs = zip(seen.images[own].tolist(), seen.keypoints[own].tolist(), strict=True)
            fields = [text for image, keypoint in pairs for text in (images.names[image], str(keypoint))]
            rows.append((int(seen.points[own[0]]), kind, fields))
    return ([str(point), kind, *fields] for point, kind, fields in sorted(rows, key=lambda row: row[:2]))
