"""Poses of a body that no motion reaches from those before and after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int64
from ..geometry.motion import between, motion_of
from ..geometry.rigid import Rigid
from .consistency import JUMP, Connected, connected
from .interpolation import Track
from .rig_consensus import LEFT_OUT

ANY = 1e100
"""a speed without a limit"""
WRONG = 20
"""one pose in so many may be wrong, and one at least, for the others to say how fast a body gets"""
FASTER = 3.0
"""a body gets no faster than so many times what it is seen to"""


@dataclass(frozen=True)
class Reach:
    """How far a body gets. `metres` (or map units) and `radians`: in a unit of time, and at any time besides."""

    metres: float
    radians: float
    slack_metres: float
    slack_radians: float

    def allows(
        self, motions: Float64[np.ndarray, "s 6"], time: Float64[np.ndarray, "s"], spread: Float64[np.ndarray, "s 2"]
    ) -> np.ndarray:
        """Which motions in some time are possible; `spread`: how far they are off, in rotation and in place."""
        turn, place = (np.linalg.norm(motions[:, part], axis=1) for part in (slice(0, 3), slice(3, 6)))
        far = place > self.metres * time + self.slack_metres + 3 * spread[:, 1]
        return ~far & (turn <= self.radians * time + self.slack_radians + 3 * spread[:, 0])


def speeds_of(track: Track) -> tuple[float, float]:
    """How fast the body gets by its poses, of which few are wrong: metres (or map units) and radians in a unit of time.

    As fast as it likes where there are too few to tell.
    """
    wrong = 2 * most_wrong(track)  # a wrong pose spoils the steps to it and from it
    if len(track) <= wrong + 1:
        return ANY, ANY
    steps = motion_of(track.poses[1:] @ track.poses[:-1].inverse()).reshape(-1, 2, 3)
    speeds = np.linalg.norm(steps, axis=2) / np.diff(track.times)[:, None]
    turn, place = FASTER * np.sort(speeds, axis=0)[-1 - wrong]
    return float(place), float(turn)


def most_wrong(track: Track) -> int:
    """How many of a track's poses may be wrong."""
    return max(1, len(track) // WRONG)


def unreached(track: Track, reach: Reach) -> Int64[np.ndarray, "k"]:
    """Rows of poses that no motion reaches from those before and after, which one connects: far off their way, too.

    None where a body seems to jump, or where more poses are unreached than may be wrong: then it moves in another way.
    """
    poses = track.poses
    spread = np.array([np.sqrt(np.diag(b.covariance).reshape(2, 3).sum(1)) for b in track.beliefs]).reshape(-1, 2)

    def costs(first: Int64[np.ndarray, "k"], last: Int64[np.ndarray, "k"]) -> Float64[np.ndarray, "k"]:
        time = (track.times[last] - track.times[first]).astype(float)
        step: Rigid = poses[last] @ poses[first].inverse()
        allowed = reach.allows(motion_of(step), time, np.hypot(spread[first], spread[last]))
        return np.where(allowed, 0.0, JUMP)

    found = connected(np.array([belief.confidence for belief in track.beliefs]), costs)
    sure = [
        row for row in _left_out(found, len(track)).tolist() if found.worse[row] > LEFT_OUT / 2
    ]  # not its neighbour
    rows = [row for row in sure if not _is_on_the_way(track, row, found.kept, reach)]
    return np.array(rows if len(rows) <= most_wrong(track) else [], np.int64)


def _is_on_the_way(track: Track, row: int, kept: Int64[np.ndarray, "k"], reach: Reach) -> bool:
    """Whether a pose is so near to between those kept before and after that only its time is odd."""
    place = int(np.searchsorted(kept, row))
    if place in (0, len(kept)):
        return False
    first, last = kept[place - 1], kept[place]
    before, after = (float(track.times[b] - track.times[a]) for a, b in ((first, row), (row, last)))
    way = between(track.poses[first], track.poses[last], before / (before + after))
    off = motion_of(track.poses[row] @ way.inverse())
    return bool(reach.allows(off[None], np.array([2 * before * after / (before + after)]), np.zeros((1, 2)))[0])


def _left_out(found: Connected, count: int) -> Int64[np.ndarray, "k"]:
    """Rows that were left out, but for those at a jump."""
    ends = np.append(found.kept, count)
    jumps = np.append(found.jumps, False)
    starts = np.concatenate([[-1], found.kept])
    runs = [np.arange(a + 1, b) for a, b, jump in zip(starts, ends, jumps, strict=True) if not jump]
    return np.concatenate(runs).astype(np.int64)
