"""Which of the features that came with a capture are taken, and whether they are what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from ..errors import DataError
from .reconstruction import Features, MatchedPairs, Reconstruction

I = TypeVar("I", bound="Imported")  # noqa: E741 - imported settings


@dataclass(frozen=True)
class Imported:
    """A type of features that a capture brings, or that lies beside it. In a map, `dims` and `dtype` are filled in."""

    type: str = ""
    """which of the types that there are; may be left out where there is one (hloc: the name of the .h5 file)"""
    path: str = ""
    """folder with keypoints/, descriptors/ or global_features/, kapture folder, or .h5 file; else the capture itself"""
    dims: Annotated[int, msgspec.Meta(ge=0)] = 0
    """numbers of a descriptor; 0: as many as there are"""
    dtype: str = ""
    """type of these numbers; as they are where it is left out"""


def completed(wanted: I, name: str, features: Features) -> I:
    """The same settings for a type that was found; DataError where it is not what was expected."""
    if features.metric.lower() == "hamming":
        raise DataError(f"descriptors of type '{name}' are compared bit by bit (hamming), which no matcher here does")
    found, expected = features.dtype.name, wanted.dtype or features.dtype.name
    if (wanted.dims or features.width) != features.width or _is_bytes(expected) != _is_bytes(found):
        raise DataError(
            f"descriptors of type '{name}': {features.width} {found} each, expected {wanted.dims or features.width} "
            f"{expected}: map and queries need the output of one extractor"
        )
    return replace(wanted, type=name, dims=features.width, dtype=found)


def _is_bytes(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


class LocalType(NamedTuple):
    """Keypoints and their descriptors, under the name they are asked for by."""

    name: str
    keypoints: Features
    descriptors: Features


def local_type(made: Reconstruction, wanted: Imported, where: str) -> LocalType:
    """The local features of a type: a type of descriptors, or of keypoints that have one type of them."""
    described = {
        name: features for name, features in made.descriptors.items() if features.keypoints_type in made.keypoints
    }
    for kind in made.keypoints.keys() - described.keys():
        own = [features for features in described.values() if features.keypoints_type == kind]
        if len(own) == 1:
            described[kind] = own[0]
    name = _chosen(
        wanted.type, list(made.descriptors.keys() & described.keys()), sorted(described), where, "local features"
    )
    return LocalType(name, made.keypoints[described[name].keypoints_type], described[name])


def global_type(made: Reconstruction, wanted: Imported, where: str) -> tuple[str, Features]:
    """The global features of a type."""
    there = sorted(made.global_features)
    name = _chosen(wanted.type, there, there, where, "global features")
    return name, made.global_features[name]


def matched_type(made: Reconstruction, wanted: str, where: str) -> tuple[str, MatchedPairs]:
    """The matches of a type of keypoints."""
    there = sorted(made.matches)
    name = _chosen(wanted, there, there, where, "matches")
    return name, made.matches[name]


def _chosen(name: str, alone: Sequence[str], there: Sequence[str], where: str, what: str) -> str:
    """The type of that name, or the only one; DataError tells those that there are."""
    if not name and len(alone) == 1:
        return alone[0]
    if name in there:
        return name
    asked = f" of type '{name}'" if name else ""
    if not there:
        hint = "imported:path=FOLDER takes them from beside the capture"
        raise DataError(f"{where}: brings no {what}{asked}, nor any other; {hint}")
    if not name:
        raise DataError(f"{where}: brings several types of {what}; say which, imported:type=NAME: {', '.join(there)}")
    raise DataError(f"{where}: brings no {what}{asked}; there are {', '.join(there)}")
