"""Features and matches of a capture, each of them read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..data.capture import Capture
from ..data.reconstruction import ArraySource, Reconstruction
from ..errors import DataError


def broken_arrays(capture: Capture) -> Iterator[str]:
    """Features and matches that cannot be read, or name keypoints that are not there."""
    work = capture.reconstruction or Reconstruction()
    parts: list[tuple[Sequence[Any], ArraySource]] = [
        (own.images, own.source)
        for by_type in (work.keypoints, work.descriptors, work.global_features)
        for own in by_type.values()
    ]
    parts += [(own.pairs, own.source) for own in work.matches.values()]
    for keys, source in parts:
        for key in keys:
            try:
                source.load(key)
            except DataError as error:
                yield str(error)
