"""Queries in, poses out, against a finished map: extract and describe as the map does, retrieve, match, register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .config import LocalizationConfig
from .data.capture import Capture, Sensor
from .data.estimate import PoseEstimate
from .data.features import LocalFeatures
from .data.quality import ImageQuality
from .data.selection import Ranking
from .known_cameras import with_known_cameras
from .map import Map, vectors_of
from .run.workspace import Workspace
from .stage import Artifact, Results
from .stages.correspond import CORRESPOND
from .stages.describe import DESCRIBE
from .stages.extract import EXTRACT
from .stages.images import Photos
from .stages.quality import QUALITY, explained, refuse
from .stages.refine import REFINE
from .stages.register import REGISTER
from .stages.retrieve import RETRIEVE


def localize_capture(work: Workspace, map_: Map, queries: Capture, config: LocalizationConfig) -> list[PoseEstimate]:
    """One estimate for every image of `queries`, in their order; broken images get one that says so.

    Rough intrinsics give way to the map's where the same device took a query.
    """
    queries = with_known_cameras(map_, queries)
    photos, feature = Photos(queries, work.content_hash), map_.config.extract
    qualities = work.each(QUALITY, photos.of(queries.images.names, in_color=False), None)
    refusals = refuse(config.quality, qualities)
    wanted = [name for name in queries.images.names if name in qualities and name not in refusals]
    features = work.each(EXTRACT, photos.of(wanted, in_color=feature.in_color), feature)
    names = list(features)
    ranking = retrieve(work, map_, photos, names, config).value
    retrieved = {name: ranking.of(row) for row, name in enumerate(names)}
    sensors = {name: queries.sensor(name) for name in names}
    placed = _place(work, map_, config, features, retrieved, sensors, qualities)
    outcomes = dict(refusals)
    for name, estimate in placed[-1].items():
        images = tuple(map_.sparse.image_names[row] for row in retrieved[name])
        outcomes[name] = explained(replace(estimate, retrieved=images), qualities[name])
    failed, unit = (qualities, features, *placed), map_.frame.unit
    return [
        replace(outcomes.get(name) or PoseEstimate(name, None, "none", reason=_failure(name, *failed)), unit=unit)
        for name in queries.images.names
    ]


def retrieve(
    work: Workspace, map_: Map, photos: Photos, names: Sequence[str], config: LocalizationConfig
) -> Artifact[Ranking]:
    """The map images (rows of its sparse map) that look most like each query."""
    described = []
    for descriptor, trained in zip(map_.config.describe, map_.trained, strict=True):
        images = photos.of(names, in_color=descriptor.in_color, min_size=descriptor.image_size)
        described.append(work.each(DESCRIBE, images, descriptor, shared=[trained]))
    return work.once(RETRIEVE, config.retrieve, vectors_of(described, names), map_.vectors, map_.config.fuse)


def _place(
    work: Workspace,
    map_: Map,
    config: LocalizationConfig,
    features: Results[LocalFeatures],
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    qualities: Results[ImageQuality],
) -> tuple[Results[Any], Results[PoseEstimate], Results[PoseEstimate]]:
    """The matches of the queries, their poses by these, and their poses refined."""
    sparse, pnp, seen = map_.stored, config.register, [features, retrieved, sensors]
    shared = [map_.features, sparse, config.correspond, pnp, config.seed]
    matches = work.each(CORRESPOND, list(features), config.match or map_.config.match, each=seen, shared=shared)
    known = [sparse, map_.calibration, config.seed]
    evidence: list[Mapping[str, Any]] = [features, matches, sensors, qualities]
    registered = work.each(REGISTER, list(matches), pnp, each=evidence, shared=known)
    refined = work.each(
        REFINE, list(registered), config.refine, each=[registered, *seen], shared=[map_.features, sparse, pnp]
    )
    return matches, registered, refined


def _failure(name: str, *stages: Results[Any]) -> str:
    return next((results.failures[name] for results in stages if name in results.failures), "")
