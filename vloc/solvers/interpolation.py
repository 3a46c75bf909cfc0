"""Poses of a moving body at times at which it has none, from those before and after, with what the motion leaves open.

How far a body strays from between two of its poses is learned from itself: poses that it has, each interpolated from
others about as far away in time, are off by so much. Carried over to other distances it grows as the standard deviation
of a motion whose acceleration is white noise, by a b / sqrt(a + b) for neighbours a before and b after (how a beam on
two supports bends); that of a pose which is held grows with the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..array_types import Float64, Int64
from ..geometry.motion import between, motion_of
from ..geometry.rigid import Rigid
from .rig_consensus import Belief

MOST_TRIALS = 500
"""poses that are interpolated to learn from, at most"""
ALIKE = 2.0
"""times up to such a factor apart are alike"""
FEW = 3
"""trials as many as which the assumption counts that a body strays alike in all directions"""

Trials = tuple[Float64[np.ndarray, "t 6"], Float64[np.ndarray, "t"]]
"""motions by which poses are off, as for the distances in time asked for; by what factor they were carried over"""


@dataclass(frozen=True, eq=False)
class Track:
    """What is believed of a body's poses at some times, ascending, no two equal; in any unit of time."""

    times: Int64[np.ndarray, "i"]
    beliefs: Sequence[Belief]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def poses(self) -> Rigid:
        """All as one batch, `rig_from_world`."""
        return Rigid.stack([belief.rig_from_world for belief in self.beliefs])

    def until(self, time: int) -> Track:
        """What was known at a time."""
        known = int(np.searchsorted(self.times, time, "right"))
        return Track(self.times[:known], self.beliefs[:known])


def pose_at(track: Track, time: int, reach: int) -> Belief | None:
    """The pose between the nearest ones before and after a time, or the nearest as it is where only one is in reach.

    Its covariance holds theirs and how far the body strays; its confidence is that of the one that is believed less.
    None where no pose is in reach, or where there is one pose only, which says nothing of motion.
    """
    before, after = _neighbours(track.times, time, reach)
    if before is not None and after is not None and before != after:
        return _between(track, before, after, time)
    nearest = after if before is None else before
    return None if nearest is None else _held(track, nearest, time)


def _neighbours(times: Int64[np.ndarray, "i"], time: int, reach: int) -> tuple[int | None, int | None]:
    """Rows of the nearest poses before and after in reach; the same row twice of a pose at that very time."""
    before, after = int(np.searchsorted(times, time, "right")) - 1, int(np.searchsorted(times, time, "left"))
    return (
        before if before >= 0 and time - times[before] <= reach else None,
        after if after < len(times) and times[after] - time <= reach else None,
    )


def _held(track: Track, row: int, time: int) -> Belief | None:
    """The pose of a row at another time."""
    belief, apart = track.beliefs[row], abs(int(track.times[row]) - time)
    strays = stray(track, apart) if apart else np.zeros((6, 6))
    return None if strays is None else replace(belief, covariance=belief.covariance + strays)


def _between(track: Track, before: int, after: int, time: int) -> Belief | None:
    first, last = track.beliefs[before], track.beliefs[after]
    start, end = track.times[[before, after]].tolist()
    strays = stray(track, time - start, end - time)
    if strays is None:
        return None
    share = (time - start) / (end - start)
    pose = between(first.rig_from_world, last.rig_from_world, share)
    covariance = strays + (1 - share) ** 2 * _in_axes_of(pose, first) + share**2 * _in_axes_of(pose, last)
    return Belief(pose, covariance, min(first.confidence, last.confidence))


def _in_axes_of(pose: Rigid, belief: Belief) -> Float64[np.ndarray, "6 6"]:
    """A covariance of rotation and place in a body's axes, in those that it has at another pose."""
    turn = Rigid(pose.rotation @ belief.rig_from_world.rotation.T, np.zeros(3)).adjoint
    return turn @ belief.covariance @ turn.T


def stray(track: Track, before: int, after: int | None = None) -> Float64[np.ndarray, "6 6"] | None:
    """How far, squared, the body is from between poses so long before and after, in its axes; from the former, held.

    None where the track is too short to tell; of two poses, it is taken to stray from between as far as from one.
    """
    motions, factors = _trials(track, before, after)
    if not len(motions):
        nearer = None if after is None else min(before, after)
        return None if nearer is None else stray(track, nearer)
    alike = np.abs(np.log(factors)) <= np.log(ALIKE) + 1e-9
    apart = (track.times[-1] - track.times[0]) / (before + (after or 0))  # trials that overlap say the same
    return _second_moment(motions[alike] if alike.sum() >= FEW else motions, float(apart))


def _second_moment(motions: Float64[np.ndarray, "t 6"], most: float) -> Float64[np.ndarray, "6 6"]:
    """Drawn to one that is alike in all directions; wider than seen where few have been seen, as Student's t is."""
    alike = np.diag(np.repeat((motions**2).reshape(-1, 2, 3).mean((0, 2)), 3))
    count = min(len(motions), most) + FEW
    found: np.ndarray = (motions.T @ motions + FEW * alike) / (len(motions) + FEW) * (count + 1) / (count - 2)
    return found


def _trials(track: Track, before: int, after: int | None) -> Trials:
    """What the body's own poses are off when interpolated, or held, from others about so far away."""
    times, poses = track.times, track.poses
    rows = np.unique(np.linspace(0, len(track) - 1, min(len(track), MOST_TRIALS)).astype(np.int64))
    first = np.minimum(_nearest(times, times[rows] - before), rows - 1)
    last = rows if after is None else np.maximum(_nearest(times, times[rows] + after), rows + 1)
    possible = (first >= 0) & (last < len(times))
    rows, first, last = rows[possible], first[possible], last[possible]
    start, end = (times[rows] - times[first]).astype(float), (times[last] - times[rows]).astype(float)
    if after is None:
        guesses, factors = poses[first], before / start
    else:
        guesses = between(poses[first], poses[last], start / (start + end))
        factors = (before * after / np.sqrt(before + after)) / (start * end / np.sqrt(start + end))
    return factors[:, None] * motion_of(poses[rows] @ guesses.inverse()), factors


def _nearest(times: Int64[np.ndarray, "i"], wanted: Int64[np.ndarray, "t"]) -> Int64[np.ndarray, "t"]:
    """Rows of the nearest times."""
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    return after - (wanted - times[after - 1] < times[np.minimum(after, len(times) - 1)] - wanted)


def probability_within(covariance: Float64[np.ndarray, "6 6"], metres: float, radians: float) -> float:
    """That a pose of this covariance is so near to the truth in place and rotation, which count as independent."""
    return _norm_within(covariance[3:, 3:], metres) * _norm_within(covariance[:3, :3], radians)


def _norm_within(covariance: Float64[np.ndarray, "3 3"], limit: float) -> float:
    """That a normal vector is that short: its squared norm by a gamma distribution with the same mean and variance."""
    from scipy.special import gammainc

    mean, half = np.trace(covariance), np.sum(covariance**2)
    return float(gammainc(mean**2 / (2 * half), limit**2 * mean / (2 * half))) if half > 0 else 1.0
