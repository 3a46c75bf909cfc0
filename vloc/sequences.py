"""Estimates of single images -> estimates with what those before and after say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .data.sequences import ImageSequence, sequences_of
from .errors import ConfigError, DataError
from .geometry.pose_error import pose_errors
from .odometry import odometry_for
from .rigs import belief_of, placed_by
from .solvers.interpolation import pose_at, probability_within
from .solvers.odometry import MIN_POSES, Odometry, corrected
from .solvers.rig_consensus import Belief
from .stages.sequences import SequenceConfig
from .tracks import doubted, track_of, without

SURER = 0.5
"""of the variance of a photo's own place: its sequence's pose takes its place from so much surer on"""


def check_sequences(queries: Capture, config: SequenceConfig) -> dict[str, Odometry]:
    """The odometry of what took the queries, where it is asked for; read before any work.

    DataError where sequences are asked for and nothing took queries one after the other, or odometry is of other times.
    """
    names, found = queries.images.names, dict[str, Odometry]()
    _check_settings(config)
    if config.use == "none" or not names:
        return found
    sequences = sequences_of(queries, names, config.max_gap)
    if not sequences:
        raise DataError(
            f"--sequence {config.use}: no two of {len(names)} queries were taken by one camera or rig at different "
            "times, near enough to each other: give the queries' capture its timestamps, or --sequence none"
        )
    return odometry_for(queries, sequences, config) if config.use == "odometry" else found


def _check_settings(config: SequenceConfig) -> None:
    """ConfigError for settings that --sequence as it is given makes no use of."""
    if config.odometry and config.use != "odometry":
        raise ConfigError(f"--odometry {config.odometry}: expected with --sequence odometry, not {config.use}")
    if config.causal and config.use != "interpolate":
        raise ConfigError(f"--causal: expected with --sequence interpolate, not {config.use}")
    if config.share and config.use == "none":
        raise ConfigError("--sequence.share: expected with --sequence interpolate or odometry, not none")


def by_sequences(
    queries: Capture, config: LocalizationConfig, alone: Sequence[PoseEstimate], odometry: Mapping[str, Odometry]
) -> list[PoseEstimate]:
    """The estimates, in their order, those of images without a pose by the ones that their sequence has."""
    if config.sequence.use == "none":
        return list(alone)
    found = {estimate.name: estimate for estimate in alone}
    for sequence in sequences_of(queries, list(found), config.sequence.max_gap):
        if config.sequence.use == "odometry":
            found |= led(sequence, found, config, odometry[sequence.body])
        else:
            found |= interpolated(sequence, found, config)
    return list(found.values())


def interpolated(
    sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: LocalizationConfig
) -> dict[str, PoseEstimate]:
    """The estimates of the images that lack a pose, or have one that no motion reaches, by those before and after."""
    made = {} if config.sequence.causal else doubted(sequence, alone, config)  # that looks at what comes after
    notes, alone = {name: estimate.reason for name, estimate in made.items()}, {**alone, **made}
    track = track_of(sequence, alone, config.rig)
    for instant in sequence.instants:
        lacking = [(name, mount) for name, mount in instant.members if not alone[name].is_localized]
        known = track.until(instant.timestamp) if config.sequence.causal else track
        belief = pose_at(known, instant.timestamp, sequence.max_gap) if lacking else None
        if belief is not None:
            found = {name: belief.seen_from(mount) for name, mount in lacking}
            made |= {name: _followed(alone[name], own, config, notes.get(name, "")) for name, own in found.items()}
    return made


def led(
    sequence: ImageSequence, alone: Mapping[str, PoseEstimate], config: LocalizationConfig, odometry: Odometry
) -> dict[str, PoseEstimate]:
    """The estimates of a sequence's images by its odometry: of those that lack a pose, and of those it contradicts."""
    track, times = track_of(sequence, alone, config.rig), np.unique(sequence.times)
    members = [(instant.timestamp, name, mount) for instant in sequence.instants for name, mount in instant.members]
    found = corrected(track, odometry, times)
    if found is None:
        why = f"photos of its sequence have poses at {len(track)} times, odometry takes {MIN_POSES}"
        return {name: without(alone[name], why) for _, name, _ in members if not alone[name].is_localized}
    at = dict(zip(times.tolist(), found, strict=True))
    return {name: _by_odometry(alone[name], at[time].seen_from(mount), config) for time, name, mount in members}


def _by_odometry(estimate: PoseEstimate, belief: Belief, config: LocalizationConfig) -> PoseEstimate:
    """An image's own estimate where it has a pose that agrees and is as sure, or else that of its sequence."""
    if not estimate.is_localized:
        return _followed(estimate, belief, config)
    own = belief_of(estimate)
    if not own.agrees(belief, config.rig.agree_m, config.rig.agree_deg) and own.contradicts(belief):
        metres, radians = pose_errors(own.rig_from_world, belief.rig_from_world)
        off = f"its own pose was {metres:.2g} {estimate.unit} and {np.degrees(radians):.2g} deg off its sequence's"
        return _followed(without(estimate, off), belief, config, off)
    is_surer = np.trace(belief.covariance[3:, 3:]) < SURER * np.trace(own.covariance[3:, 3:])
    return placed_by(estimate, belief, "sequence") if is_surer else estimate


def _followed(estimate: PoseEstimate, belief: Belief, config: LocalizationConfig, note: str = "") -> PoseEstimate:
    """The estimate with the pose that its sequence gives it and a note, or with the reason why that is not believed."""
    limits, least = config.sequence, config.register.min_confidence
    share = probability_within(belief.covariance, limits.right_m, np.radians(limits.right_deg))
    if belief.confidence * share >= least:
        return replace(
            placed_by(estimate, replace(belief, confidence=belief.confidence * share), "sequence"), reason=note
        )
    metres, degrees = _deviations(belief)
    return without(estimate, f"its sequence leaves {metres:.2g} {estimate.unit} and {degrees:.2g} deg open")


def _deviations(belief: Belief) -> tuple[float, float]:
    """Standard deviations of a pose's place and, degrees, rotation."""
    variances = np.diag(belief.covariance)
    return float(np.sqrt(variances[3:].sum())), float(np.degrees(np.sqrt(variances[:3].sum())))
