"""What the photos of a sequence tell each other of the map: which of its images may show the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .data.sequences import ImageSequence, sequences_of
from .data.sparse_map import SparseMap
from .solvers.interpolation import Track, pose_at
from .stages.share import expected_images, most_voted
from .tracks import track_of

LEAST = 10
"""map images that neighbours bring in each way, where fewer are retrieved"""


def shared_images(
    queries: Capture,
    config: LocalizationConfig,
    sparse: SparseMap,
    alone: Mapping[str, PoseEstimate],
    retrieved: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Map images for the queries that failed, where sequences share theirs: their own, and those that neighbours bring.

    Of each kind as many as are retrieved, or ten: those that photos of the same camera before and after were given
    most, and those that show most of where the sequence leads, if any of it has a pose.
    """
    found: dict[str, list[int]] = {}
    if config.sequence.use == "none" or not config.sequence.share or config.paradigm != "map":
        return {}
    for sequence in sequences_of(queries, list(alone), config.sequence.max_gap):
        failed = {name for instant in sequence.instants for name in instant.names if not alone[name].is_localized}
        for brought in (
            _voted(queries, sequence, retrieved),
            _led_to(queries, sequence, config, sparse, alone, retrieved),
        ):
            for name in failed & brought.keys():
                found.setdefault(name, retrieved[name].tolist()).extend(brought[name])
    unique = {name: np.array(list(dict.fromkeys(images)), np.int64) for name, images in found.items()}
    return {name: images for name, images in unique.items() if len(images) > len(retrieved[name])}


def _voted(queries: Capture, sequence: ImageSequence, retrieved: Mapping[str, np.ndarray]) -> dict[str, list[int]]:
    """Of every photo, what those of its camera before and after were given."""
    found: dict[str, list[int]] = {}
    for names in _by_camera(queries, sequence):
        found |= zip(names, most_voted([retrieved[name] for name in names], LEAST), strict=True)
    return found


def _by_camera(queries: Capture, sequence: ImageSequence) -> Iterable[list[str]]:
    """The images of a sequence by the camera that took them, in the order of time."""
    names: dict[str, list[str]] = {}
    for instant in sequence.instants:
        for name in instant.names:
            names.setdefault(queries.device(name), []).append(name)
    return names.values()


def _led_to(
    queries: Capture,
    sequence: ImageSequence,
    config: LocalizationConfig,
    sparse: SparseMap,
    alone: Mapping[str, PoseEstimate],
    retrieved: Mapping[str, np.ndarray],
) -> dict[str, list[int]]:
    """Of every photo without a pose, the map images that show what those near it are given, from where it should be."""
    track, found = track_of(sequence, alone, config.rig), dict[str, list[int]]()
    for instant in sequence.instants:
        lacking = [(name, mount) for name, mount in instant.members if not alone[name].is_localized]
        belief = pose_at(track, instant.timestamp, sequence.max_gap) if lacking else None
        if belief is not None:
            images = _given_near(sequence, track, instant.timestamp, retrieved)
            for name, mount in lacking:
                pose = belief.seen_from(mount).rig_from_world
                found[name] = expected_images(
                    sparse, images, pose, queries.camera(name), max(len(retrieved[name]), LEAST)
                )
    return found


def _given_near(sequence: ImageSequence, track: Track, time: int, retrieved: Mapping[str, np.ndarray]) -> list[int]:
    """The map images that the photos of the nearest times with a pose, before and after, were given."""
    after = int(np.searchsorted(track.times, time))
    times = set(track.times[max(after - 1, 0) : after + 1].tolist())
    near = [name for instant in sequence.instants if instant.timestamp in times for name in instant.names]
    return sorted({int(row) for name in near for row in retrieved[name]})
