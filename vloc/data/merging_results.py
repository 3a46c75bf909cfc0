"""What was computed from several captures as one reconstruction: types of one name are joined or renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import DataError
from .capture import Capture
from .reconstruction import ArraySource, Features, MatchedPairs, Observations, Points, Reconstruction

Key = str | tuple[str, str]


@dataclass(frozen=True, eq=False)
class JoinedSources:
    """Arrays of several sources: new key -> (source, key in it)."""

    sources: Mapping[Any, tuple[ArraySource, Key]]

    def load(self, key: Key) -> np.ndarray:
        """The array of its source."""
        source, own = self.sources[key]
        return source.load(own)


@dataclass(frozen=True, eq=False)
class _Part:
    """One capture's results with the new name of each of its images, and the row each of its images gets."""

    work: Reconstruction
    new_name: Mapping[str, str]
    new_row: np.ndarray
    prefix: str


def merge_results(
    captures: Sequence[Capture], old_names: Sequence[Sequence[str]], prefixes: Sequence[str], names: Sequence[str]
) -> tuple[Reconstruction | None, list[str]]:
    """The results of captures with their new names, and what is left out; `names` are all images in order.

    DataError where a type is not the same in two captures and there is no prefix to tell them apart.
    """
    row_of = {name: row for row, name in enumerate(names)}
    parts = [
        _Part(
            _with_own_types(capture.reconstruction, prefix, [c.reconstruction for c in captures[:index]]),
            dict(zip(old, capture.images.names, strict=True)),
            np.array([row_of[name] for name in capture.images.names], np.int32),
            prefix,
        )
        for index, (capture, old, prefix) in enumerate(zip(captures, old_names, prefixes, strict=True))
        if capture.reconstruction is not None
    ]
    if not parts:
        return None, []
    points, lost = _points([part.work.points for part in parts])
    joined = {
        kind: {name: _features(parts, kind, name) for name in _types(getattr(part.work, kind) for part in parts)}
        for kind in ("keypoints", "descriptors", "global_features")
    }
    matches = {name: _matches(parts, name) for name in _types(part.work.matches for part in parts)}
    observations = {name: _observations(parts, name) for name in _types(part.work.observations for part in parts)}
    return Reconstruction(points, observations, **joined, matches=matches), lost


def _types(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _with_own_types(work: Reconstruction, prefix: str, before: Sequence[Reconstruction | None]) -> Reconstruction:
    """The results, types that differ from those of the same name before renamed."""
    keypoints = _new_types(work.keypoints, [other.keypoints for other in before if other], prefix)
    of_keypoints = {
        name: replace(own, keypoints_type=keypoints.get(own.keypoints_type, own.keypoints_type))
        for name, own in work.descriptors.items()
    }
    descriptors = _new_types(of_keypoints, [other.descriptors for other in before if other], prefix)
    vectors = _new_types(work.global_features, [other.global_features for other in before if other], prefix)
    return replace(
        work,
        observations={keypoints.get(name, name): own for name, own in work.observations.items()},
        keypoints={keypoints[name]: own for name, own in work.keypoints.items()},
        descriptors={descriptors[name]: own for name, own in of_keypoints.items()},
        global_features={vectors[name]: own for name, own in work.global_features.items()},
        matches={keypoints.get(name, name): own for name, own in work.matches.items()},
    )


def _new_types(own: Mapping[str, Features], before: Sequence[Mapping[str, Features]], prefix: str) -> dict[str, str]:
    """The name that each type gets."""
    names = {}
    for name, features in own.items():
        others = [mapping[name] for mapping in before if name in mapping]
        differs = any(_said(features) != _said(other) for other in others)
        if differs and not prefix:
            raise DataError(f"features of type '{name}' are {_said(features)} and {_said(others[0])}; give prefixes")
        names[name] = f"{prefix}_{name}" if differs else name
    return names


def _said(features: Features) -> tuple[str, ...]:
    """What tells two types apart."""
    said = features.extractor, np.dtype(features.dtype).name, str(features.width)
    return (*said, features.keypoints_type, features.metric)


def _features(parts: Sequence[_Part], kind: str, name: str) -> Features:
    by_part: list[Mapping[str, Features]] = [getattr(part.work, kind) for part in parts]
    owners = [(part, own[name]) for part, own in zip(parts, by_part, strict=True) if name in own]
    sources = {part.new_name[image]: (own.source, image) for part, own in owners for image in own.images}
    return replace(owners[0][1], images=list(sources), source=JoinedSources(sources))


def _matches(parts: Sequence[_Part], name: str) -> MatchedPairs:
    # A prefix goes before both names of a pair, so their order stays.
    sources = {
        (part.new_name[pair[0]], part.new_name[pair[1]]): (part.work.matches[name].source, pair)
        for part in parts
        if name in part.work.matches
        for pair in part.work.matches[name].pairs
    }
    return MatchedPairs(sorted(sources), JoinedSources(sources))


def _points(parts: Sequence[Points | None]) -> tuple[Points | None, list[str]]:
    """All points in turn. Colours and errors stay only where every part that has points has them, which is told."""
    own = [points for points in parts if points is not None]
    full = [points for points in own if len(points)]
    if not own:
        return None, []
    lost = []
    for what, columns in (("colours", [p.rgb for p in full]), ("reprojection errors", [p.errors for p in full])):
        known = sum(len(column) for column in columns if column is not None)
        if known and any(column is None for column in columns):
            lost.append(f"{known} {what} of points left out: another capture's points have none")
    rgb, errors = _joined([p.rgb for p in full]), _joined([p.errors for p in full])
    return Points(np.concatenate([p.xyz for p in own]), rgb, errors), lost


def _joined(columns: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [column for column in columns if column is not None]
    return np.concatenate(known) if known and len(known) == len(columns) else None


def _observations(parts: Sequence[_Part], name: str) -> Observations:
    columns, offset = [np.zeros((0, 3), np.int32)], 0
    for part in parts:
        if name in part.work.observations:
            seen = part.work.observations[name]
            columns.append(np.stack([seen.points + offset, part.new_row[seen.images], seen.keypoints], axis=1))
        offset += len(part.work.points or ())
    points, images, keypoints = np.concatenate(columns).astype(np.int32).T
    return Observations(points.copy(), images.copy(), keypoints.copy())
