"""Estimates of single images -> estimates with what those before and after say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .data.sequences import ImageSequence, sequences_of
from .errors import DataError
from .rigs import beliefs_of, placed_by
from .solvers.interpolation import Track, pose_at, probability_within
from .solvers.rig_consensus import Belief, consensus
from .stages.rigs import RigConfig
from .stages.sequences import SequenceConfig


def check_sequences(queries: Capture, config: SequenceConfig) -> None:
    """DataError, before any work, where sequences are asked for and nothing took queries one after the other."""
    names = queries.images.names
    if config.use != "none" and names and not sequences_of(queries, names, config.max_gap):
        raise DataError(
            f"--sequence {config.use}: no two of {len(names)} queries were taken by one camera or rig at different "
            "times, near enough to each other: give the queries' capture its timestamps, or --sequence none"
        )


def by_sequences(queries: Capture, config: LocalizationConfig, alone: Sequence[PoseEstimate]) -> list[PoseEstimate]:
    """The estimates, in their order, those of images without a pose by the ones that their sequence has."""
    if config.sequence.use == "none":
        return list(alone)
    found = {estimate.name: estimate for estimate in alone}
    for sequence in sequences_of(queries, list(found), config.sequence.max_gap):
        found |= interpolated(sequence, found, config)
    return list(found.values())


def interpolated(
    sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: LocalizationConfig
) -> dict[str, PoseEstimate]:
    """The estimates of the images that lack a pose and get one between those before and after, or from the nearest."""
    track = track_of(sequence, alone, config.rig)
    made: dict[str, PoseEstimate] = {}
    for instant in sequence.instants:
        if lacking := [(name, mount) for name, mount in instant.members if not alone[name].is_localized]:
            known = track.until(instant.timestamp) if config.sequence.causal else track
            belief = pose_at(known, instant.timestamp, sequence.max_gap)
            if belief is not None:
                made |= {name: _followed(alone[name], belief.seen_from(mount), config) for name, mount in lacking}
    return made


def track_of(sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: RigConfig) -> Track:
    """What the estimates say of the body's poses; where several are of one time, the side that is believed more."""
    at: dict[int, list[Belief]] = {}
    for instant in sequence.instants:
        placed = [(name, mount) for name, mount in instant.members if alone[name].is_localized]
        at.setdefault(instant.timestamp, []).extend(beliefs_of(placed, alone))
    known = {time: consensus(beliefs, config.agree_m, config.agree_deg)[0] for time, beliefs in at.items() if beliefs}
    return Track(np.array(list(known), np.int64), list(known.values()))


def _followed(estimate: PoseEstimate, belief: Belief, config: LocalizationConfig) -> PoseEstimate:
    """The estimate with the pose that its sequence gives it, or with the reason why that is not believed."""
    limits, least = config.sequence, config.register.min_confidence
    share = probability_within(belief.covariance, limits.right_m, np.radians(limits.right_deg))
    if belief.confidence * share >= least:
        return placed_by(estimate, replace(belief, confidence=belief.confidence * share), "sequence")
    metres, degrees = _deviations(belief)
    why = f"its sequence leaves {metres:.2g} {estimate.unit} and {degrees:.2g} deg open"
    return replace(estimate, reason="; ".join(filter(None, [estimate.reason, why])))


def _deviations(belief: Belief) -> tuple[float, float]:
    """Standard deviations of a pose's place and, degrees, rotation."""
    variances = np.diag(belief.covariance)
    return float(np.sqrt(variances[3:].sum())), float(np.degrees(np.sqrt(variances[:3].sum())))
