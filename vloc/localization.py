"""Queries in, poses out, against a finished map: extract and describe as the map does, retrieve, match, register."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .config import LocalizationConfig, query_matcher
from .data.capture import Capture, Sensor
from .data.estimate import PoseEstimate
from .data.features import GlobalDescriptor, LocalFeatures
from .data.quality import ImageQuality
from .data.taken import taken_in
from .describing import check_recorded, described_by, plugins_of
from .features.base import LocalFeature
from .known_cameras import with_known_cameras
from .map import Map, vectors_of
from .matching.base import PhotoMatcher
from .paradigms import approximate, check_paradigm, place_locally
from .photo_matching import check_photo_matching, sight
from .points import check_has_points
from .retrieval.filters import Choice
from .retrieval.geometric import Geometric
from .rigs import by_rigs, check_rigs
from .run.inputs import Table
from .run.workspace import Workspace
from .sequences import by_sequences, check_sequences
from .sharing import shared_images
from .stage import Results
from .stages.arrange import ARRANGE
from .stages.correspond import CORRESPOND
from .stages.describe import DESCRIBE
from .stages.extract import EXTRACT
from .stages.images import Photos
from .stages.imported import local_items, looks_at_photos
from .stages.quality import QUALITY, explained, refuse
from .stages.refine import REFINE
from .stages.register import REGISTER
from .stages.retrieve import RETRIEVE
from .stages.sight import PartOf
from .weights import require


def localize_capture(work: Workspace, map_: Map, queries: Capture, config: LocalizationConfig) -> list[PoseEstimate]:
    """One estimate for every image of `queries`, in their order; broken images get one that says so.

    Rough intrinsics give way to the map's where the same device took a query.
    """
    if config.paradigm == "map":
        check_has_points(map_)
    matcher = query_matcher(config, map_.config)
    check_photo_matching(map_, config, matcher)
    require(plugins_of(map_.config.extract, map_.config.describe, matcher))
    queries = with_known_cameras(map_, queries)
    photos, feature = Photos(queries, work.content_hash, map_.config.look), map_.config.extract
    check_recorded(photos, queries.images.names, map_.config.describe, of_map=False)
    check_rigs(queries, config.rig)
    check_paradigm(map_, config)
    odometry = check_sequences(queries, config.sequence)
    names, qualities = queries.images.names, look(work, photos, feature, config)
    refusals = refuse(config.quality, qualities)
    wanted = [name for name in names if name in qualities and name not in refusals]
    features = None  # photos that are matched as they are, or not at all, need none
    if not (isinstance(matcher, PhotoMatcher) or config.paradigm == "approximation"):
        features = work.each(EXTRACT, local_items(photos, wanted, feature), feature)
        wanted = list(features)
    described = describe(work, map_, photos, wanted)
    found = [name for name in wanted if all(name in vectors for vectors in described)]
    sensors = {name: queries.sensor(name) for name in found}
    choice = Choice(config.filter, taken_in(queries, found), map_.taken) if config.filter.is_active else None
    retrieved = retrieve(work, map_, described, features, sensors, config, choice)
    first: tuple[Results[Any], ...]
    if config.paradigm == "approximation":
        first = (approximate(work, map_, described, config, retrieved, sensors),)
    elif config.paradigm == "local-sfm":
        assert features is not None  # noqa: S101 - `check_paradigm` sees to it
        first = (place_locally(work, map_, photos, config, [features, retrieved, sensors, qualities]),)
    else:
        first = _place(work, map_, config, photos, features, retrieved, sensors, qualities)
    placed: tuple[Mapping[str, Any], ...] = first
    if again := shared_images(queries, config, map_.sparse, placed[-1], retrieved):
        second = _place(work, map_, config, photos, features, again, sensors, qualities)
        placed, retrieved = _over(second, first), retrieved | again
    outcomes = dict(refusals)
    seen: list[Mapping[str, Any] | None] = [features, placed[0], retrieved, sensors, qualities]
    for name, estimate in by_rigs(work, map_, queries, config, seen, placed[-1]).items():
        images = tuple(map_.sparse.image_names[row] for row in retrieved[name])
        outcomes[name] = explained(replace(estimate, retrieved=images), qualities[name])
    stages, unit = (qualities, features, *described, *first), map_.frame.unit
    failed = [results for results in stages if isinstance(results, Results)]
    every = [outcomes.get(name) or PoseEstimate(name, None, "none", reason=_failure(name, *failed)) for name in names]
    return by_sequences(queries, config, [replace(estimate, unit=unit) for estimate in every], odometry)


def look(
    work: Workspace, photos: Photos, feature: LocalFeature, config: LocalizationConfig
) -> Mapping[str, ImageQuality | None]:
    """How good the photos are; None for all where no feature is made of them and no quality is asked for."""
    names = photos.capture.images.names
    if looks_at_photos(feature) or config.quality.min_quality:
        return work.each(QUALITY, photos.of(names, in_color=False), None)
    return dict.fromkeys(names)


def describe(work: Workspace, map_: Map, photos: Photos, names: Sequence[str]) -> list[Results[GlobalDescriptor]]:
    """The queries by every global descriptor of the map, with what it has learned."""
    return [
        work.each(
            DESCRIBE, described_by(work, photos, names, descriptor, map_.config.extract), descriptor, shared=[trained]
        )
        for descriptor, trained in zip(map_.config.describe, map_.trained, strict=True)
    ]


def retrieve(
    work: Workspace,
    map_: Map,
    described: Sequence[Results[GlobalDescriptor]],
    features: Results[LocalFeatures] | None,
    sensors: Mapping[str, Sensor],
    config: LocalizationConfig,
    choice: Choice | None = None,
) -> dict[str, np.ndarray]:
    """The map images (rows of its sparse map) that look most like each query, best first, of those it may be given."""
    names, sparse, count = list(sensors), map_.sparse, config.retrieve.num_retrieved
    known = map_.vectors, map_.fusion, config.reranking, sparse.cam_from_world, choice
    ranking = work.once(RETRIEVE, config.retrieve, vectors_of(described, names), *known).value
    retrieved = {name: ranking.of(row) for row, name in enumerate(names)}
    if features is None or not (config.reranking and isinstance(geometric := config.reranking[-1], Geometric)):
        return retrieved
    shared = [map_.features, map_.stored, query_matcher(config, map_.config), config.seed]
    arranged = work.each(ARRANGE, names, geometric, each=[features, retrieved, sensors], shared=shared)
    return {name: arranged[name].of(0)[:count] for name in names}


def _place(
    work: Workspace,
    map_: Map,
    config: LocalizationConfig,
    photos: Photos,
    features: Results[LocalFeatures] | None,
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    qualities: Mapping[str, ImageQuality | None],
) -> tuple[Results[Any], Results[PoseEstimate], Results[PoseEstimate]]:
    """The matches of the queries, their poses by these, and their poses refined where features can be compared."""
    matcher, sparse, pnp = query_matcher(config, map_.config), map_.stored, config.register
    known = [sparse, map_.calibration, config.seed]
    if features is None or isinstance(matcher, PhotoMatcher):
        assert isinstance(matcher, PhotoMatcher)  # noqa: S101 - which there are no features for
        seen = sight(work, map_, photos, retrieved, sensors, matcher)
        parts = PartOf(seen, lambda own: own.features), PartOf(seen, lambda own: own.matches)
        evidence: list[Table] = [*parts, sensors, qualities]
        registered = work.each(REGISTER, list(seen), pnp, each=evidence, shared=known)
        return seen, registered, registered
    tables: list[Table] = [features, retrieved, sensors]
    shared = [map_.features, sparse, config.correspond, pnp, config.seed]
    matches = work.each(CORRESPOND, list(retrieved), matcher, each=tables, shared=shared)
    registered = work.each(REGISTER, list(matches), pnp, each=[features, matches, sensors, qualities], shared=known)
    refined = work.each(
        REFINE, list(registered), config.refine, each=[registered, *tables], shared=[map_.features, sparse, pnp]
    )
    return matches, registered, refined


def _over(late: Sequence[Results[Any]], early: Sequence[Results[Any]]) -> tuple[Mapping[str, Any], ...]:
    """What a second look gave in place of the first, for the queries that had one."""
    return tuple(ChainMap(*tables) for tables in zip(late, early, strict=True))  # type: ignore[arg-type]


def _failure(name: str, *stages: Results[Any]) -> str:
    return next((results.failures[name] for results in stages if name in results.failures), "")
