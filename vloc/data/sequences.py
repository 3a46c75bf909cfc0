"""What one body recorded in the order of time: sequences of instants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from ..array_types import Int64
from .capture import Capture
from .instants import Instant, every_instant

USUAL_STEPS = 10
"""of a body's median step in time: a longer one begins another sequence, unless told"""


@dataclass(frozen=True, eq=False)
class ImageSequence:
    """Instants of one body (the outermost rig that cameras hang on, or a camera on none), without a gap in time.

    `max_gap`: the longest step in time that is none, in the unit of the timestamps.
    """

    instants: tuple[Instant, ...]
    max_gap: int

    @property
    def body(self) -> str:
        """The device that moves: a rig, or a camera."""
        return self.instants[0].rig

    @property
    def times(self) -> Int64[np.ndarray, "i"]:
        """Of the instants, in the unit of the timestamps; ascending."""
        return np.array([instant.timestamp for instant in self.instants], np.int64)


def sequences_of(capture: Capture, names: Sequence[str], max_gap: int = 0) -> list[ImageSequence]:
    """What every body recorded at two times or more, cut where nothing follows for longer than the gap.

    `max_gap`: the unit of the timestamps; 0: ten times the body's median step.
    """
    found = []
    for _, group in groupby(every_instant(capture, names), key=lambda instant: instant.rig):
        instants = list(group)
        gap = max_gap or usual_gap(instants)
        found += [ImageSequence(tuple(part), gap) for part in _cut(instants, gap)]
    return [sequence for sequence in found if sequence.times[-1] > sequence.times[0]]


def camera_tracks(capture: Capture, names: Sequence[str]) -> list[list[str]]:
    """The images of each camera of each sequence, in the order of time."""
    found: list[list[str]] = []
    for sequence in sequences_of(capture, names):
        tracks: dict[str, list[str]] = {}
        for instant in sequence.instants:
            for name in instant.names:
                tracks.setdefault(capture.device(name), []).append(name)
        found += tracks.values()
    return found


def usual_gap(instants: Sequence[Instant]) -> int:
    """Ten times the median of the steps from one time to the next."""
    steps = np.diff(np.unique([instant.timestamp for instant in instants]))
    return int(USUAL_STEPS * np.median(steps)) if len(steps) else 0


def _cut(instants: Sequence[Instant], gap: int) -> Iterator[Sequence[Instant]]:
    times = [instant.timestamp for instant in instants]
    starts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(times)) if b - a > gap), len(times)]
    yield from (instants[a:b] for a, b in pairwise(starts))
