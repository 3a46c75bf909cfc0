"""Odometry and poses of photos together: how far the odometry is off, which poses it contradicts, and all poses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Float64, Int64
from ..geometry.motion import between, motion_of
from ..geometry.rigid import Rigid
from .consistency import Connected, StepCosts, connected
from .interpolation import Track
from .pose_graph import PoseChain, optimised
from .rig_consensus import Belief

MIN_POSES = 4
"""that photos have of one sequence; fewer do not say how far its odometry is off"""
MEDIAN_3 = 2.366
"""of the chi-square distribution of three numbers"""
SAME_SCALE = 3.0
"""standard deviations; an odometry whose scale is so near to 1 is one in metres"""
OWN = 0.1
"""of what odometry and photos disagree by, the part that is the odometry's at least"""
LEAST = 1e-12
"""radians and metres squared, of one step; no odometry is taken to be surer"""


@dataclass(frozen=True, eq=False)
class Odometry:
    """Poses `rig_from_start` of a body at ascending times, from anywhere, that drift; lengths in any unit."""

    times: Int64[np.ndarray, "o"]
    poses: Rigid

    def at(self, times: Int64[np.ndarray, "i"]) -> Rigid:
        """Poses between the nearest, by time; of times beyond the ends those of the ends."""
        after = np.clip(np.searchsorted(self.times, times), 1, len(self.times) - 1)
        start, end = self.times[after - 1], self.times[after]
        share = np.clip((times - start) / (end - start), 0.0, 1.0)
        return between(self.poses[after - 1], self.poses[after], share)


@dataclass(frozen=True, eq=False)
class Noise:
    """How far the steps of an odometry are off."""

    turn: float
    """radians squared, the variance of each number, for each unit of time"""
    place: float
    """metres squared (or map units), the same"""
    scale: float
    """metres (or map units) in a unit of the odometry"""

    def covariance(self, time: Float64[np.ndarray, "s"]) -> Float64[np.ndarray, "s 6 6"]:
        """Of steps that take so long."""
        one = np.diag(np.repeat([self.turn, self.place], 3))
        return np.maximum(time, 1.0)[:, None, None] * one + LEAST * np.eye(6)


def corrected(track: Track, odometry: Odometry, times: Int64[np.ndarray, "i"]) -> list[Belief] | None:
    """The poses of a body at all times of a sequence, from those of its track that go together.

    None where the track is too short to say how far the odometry is off. The confidence is that of the surest pose.
    """
    if len(track) < MIN_POSES:
        return None
    seen = odometry.at(track.times)
    noise = noise_of(track, seen)
    seen = _scaled(seen, noise.scale)
    found = connected(np.array([belief.confidence for belief in track.beliefs]), _costs(track, seen, noise))
    chain = _chain(track, found, noise, times, _scaled(odometry.at(times), noise.scale))
    poses, covariances = optimised(chain, _start(chain, times))
    surest = max(belief.confidence for belief in chain.photos.values())
    return [Belief(poses[i], covariances[i], surest) for i in range(len(times))]


def _scaled(poses: Rigid, scale: float) -> Rigid:
    return Rigid(poses.rotation, scale * poses.translation)


def noise_of(track: Track, seen: Rigid) -> Noise:
    """How far odometry is off, by the median step between successive poses; `seen`: its poses at their times."""
    steps = motion_of(_steps(track.poses)), motion_of(_steps(seen))
    scale = _scale(*(np.linalg.norm(step[:, 3:], axis=1) for step in steps))
    off = motion_of(_steps(_scaled(seen, scale)) @ _steps(track.poses).inverse())
    own = np.stack([np.diag(belief.covariance) for belief in track.beliefs])
    own, time = own[1:] + own[:-1], np.diff(track.times).astype(float)
    turn, place = (_variance(off[:, part], own[:, part].mean(1), time) for part in (slice(0, 3), slice(3, 6)))
    return Noise(turn, place, scale)


def _variance(off: Float64[np.ndarray, "s 3"], own: Float64[np.ndarray, "s"], time: Float64[np.ndarray, "s"]) -> float:
    """Of each number for each unit of time, without what the photos' poses are off themselves, if these are right."""
    seen, count = (off**2).sum(1) / MEDIAN_3, len(off)
    least = OWN * np.median(seen / time)
    return float(max(np.median((seen - own) / time), least)) * (count + 1) / (count - 2)  # wider where few are seen


def _steps(poses: Rigid) -> Rigid:
    return poses[1:] @ poses[:-1].inverse()


def _scale(metres: Float64[np.ndarray, "s"], units: Float64[np.ndarray, "s"]) -> float:
    """Metres in one unit of the odometry, by the median of its steps; 1 where that is as likely, or nothing moves."""
    moves = units > 0.1 * np.median(units)
    if not moves.any() or not np.median(units) > 0:
        return 1.0
    ratios = metres[moves] / units[moves]
    scale = float(np.median(ratios))
    error = 1.86 * np.median(np.abs(ratios - scale)) / np.sqrt(len(ratios))  # of a median, from the median deviation
    return scale if abs(scale - 1) > SAME_SCALE * error and scale > 0 else 1.0


def _costs(track: Track, seen: Rigid, noise: Noise) -> StepCosts:
    """How much worse than the odometry expects it steps between rows are."""
    poses, covariances = track.poses, np.stack([belief.covariance for belief in track.beliefs])

    def costs(first: np.ndarray, last: np.ndarray) -> np.ndarray:
        step = seen[last] @ seen[first].inverse()
        off = motion_of(poses[last] @ poses[first].inverse() @ step.inverse())
        moved = np.stack([step[i].adjoint for i in range(len(step))])
        spread = noise.covariance((track.times[last] - track.times[first]).astype(float)) + covariances[last]
        spread = spread + moved @ covariances[first] @ np.swapaxes(moved, 1, 2)
        return np.einsum("si,si->s", off, np.linalg.solve(spread, off[..., None])[..., 0])

    return costs


def _chain(track: Track, found: Connected, noise: Noise, times: np.ndarray, seen: Rigid) -> PoseChain:
    """Photos at the rows of all times that go together, steps that say nothing where the odometry slipped."""
    rows = np.searchsorted(times, track.times[found.kept])
    information = np.linalg.inv(noise.covariance(np.diff(times).astype(float)))
    for first, row, jumps in zip(rows, rows[1:], found.jumps[1:], strict=False):
        if jumps:
            information[first:row] = 0.0
    photos = {int(row): track.beliefs[kept] for row, kept in zip(rows, found.kept, strict=True)}
    return PoseChain(photos, _steps(seen), information)


def _start(chain: PoseChain, times: np.ndarray) -> Rigid:
    """The pose of a photo at its row, carried on by the steps from there; before the first, back from it."""
    rows = sorted(chain.photos)
    poses: list[Rigid] = [chain.photos[rows[0]].rig_from_world] * len(times)
    for row in range(rows[0] + 1, len(times)):
        photo = chain.photos.get(row)
        poses[row] = photo.rig_from_world if photo else chain.steps[row - 1] @ poses[row - 1]
    for row in range(rows[0] - 1, -1, -1):
        poses[row] = chain.steps[row].inverse() @ poses[row + 1]
    return Rigid.stack(poses)
