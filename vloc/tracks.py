"""What the estimates of a sequence's images say of the way of the body that took them, and which of them cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .config import LocalizationConfig
from .data.estimate import PoseEstimate
from .data.instants import Instant
from .data.sequences import ImageSequence
from .geometry.motion import motion_of
from .geometry.pose_error import pose_errors
from .geometry.rigid import Rigid
from .rigs import belief_of, beliefs_of
from .solvers.interpolation import Track, pose_at
from .solvers.plausibility import Reach, speeds_of, unreached
from .solvers.rig_consensus import Belief, consensus
from .stages.rigs import RigConfig
from .stages.sequences import SequenceConfig


def track_of(sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: RigConfig) -> Track:
    """What the estimates say of the body's poses; where several are of one time, the side that is believed more."""
    at: dict[int, list[Belief]] = {}
    for instant in sequence.instants:
        at.setdefault(instant.timestamp, []).extend(beliefs_of(_witnesses(instant, alone), alone))
    known = {time: consensus(beliefs, config.agree_m, config.agree_deg)[0] for time, beliefs in at.items() if beliefs}
    return Track(np.array(list(known), np.int64), list(known.values()))


def _witnesses(instant: Instant, alone: Mapping[str, PoseEstimate]) -> list[tuple[str, Rigid]]:
    """The images of an instant whose poses are independent: those that a rig gave them say what one of them says."""
    placed = [(name, mount) for name, mount in instant.members if alone[name].is_localized]
    return [(name, mount) for name, mount in placed if alone[name].source != "rig"] or placed[:1]


def doubted(
    sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: LocalizationConfig
) -> dict[str, PoseEstimate]:
    """The estimates of images whose own pose no motion reaches, without it; `reason` says where the others lead."""
    track = track_of(sequence, alone, config.rig)
    reach = _reach(sequence, track, config.sequence)
    wrong = unreached(track, reach).tolist()
    believed = np.setdiff1d(np.arange(len(track)), wrong)
    rest = Track(track.times[believed], [track.beliefs[row] for row in believed])
    row_of = {time: row for row, time in enumerate(track.times.tolist())}
    made: dict[str, PoseEstimate] = {}
    for instant in sequence.instants:
        for name, mount in _witnesses(instant, alone):
            row = row_of[instant.timestamp]
            own, others = belief_of(alone[name]).seen_from(mount.inverse()), track.beliefs[row]
            if row in wrong and own.agrees(others, config.rig.agree_m, config.rig.agree_deg):
                made[name] = _refused(alone[name], own, pose_at(rest, instant.timestamp, sequence.max_gap))
            elif row not in wrong and len(rest) > 1 and not _same(own, others, reach):
                made[name] = _refused(alone[name], own, others)
    return made


def _reach(sequence: ImageSequence, track: Track, config: SequenceConfig) -> Reach:
    """How far the body gets, as given or as its own poses say."""
    step, (metres, radians) = float(np.median(np.diff(np.unique(sequence.times)))), speeds_of(track)
    metres = config.max_step_m / step if config.max_step_m else metres
    radians = np.radians(config.max_step_deg) / step if config.max_step_deg else radians
    return Reach(metres, float(radians), config.right_m, float(np.radians(config.right_deg)))


def _same(own: Belief, others: Belief, reach: Reach) -> bool:
    """Whether two poses of one time can both be right."""
    off = motion_of(own.rig_from_world @ others.rig_from_world.inverse())
    spread = np.sqrt(np.diag(own.covariance + others.covariance).reshape(2, 3).sum(1))
    return bool(reach.allows(off[None], np.zeros(1), spread[None])[0])


def _refused(estimate: PoseEstimate, own: Belief, others: Belief | None) -> PoseEstimate:
    """The estimate without its pose and confidence."""
    off = ""
    if others is not None:
        metres, radians = pose_errors(own.rig_from_world, others.rig_from_world)
        off = f": the others lead {metres:.2g} {estimate.unit} and {np.degrees(radians):.2g} deg away"
    return replace(without(estimate, f"no motion of its sequence reaches its own pose{off}"), confidence=0.0)


def without(estimate: PoseEstimate, why: str) -> PoseEstimate:
    """The estimate without a pose, for one reason more."""
    reason = "; ".join(filter(None, [estimate.reason, why]))
    return replace(estimate, cam_from_world=None, covariance=None, source="none", reason=reason)
