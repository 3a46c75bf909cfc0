"""What is known of queries before their poses: how good they are, their features, which map images look like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .config import LocalizationConfig, query_matcher
from .data.capture import Sensor
from .data.estimate import PoseEstimate
from .data.features import GlobalDescriptor, LocalFeatures
from .data.quality import ImageQuality
from .data.taken import taken_in
from .describing import described_by
from .features.base import LocalFeature
from .map import Map, vectors_of
from .matching.base import PhotoMatcher
from .retrieval.filters import Choice
from .retrieval.geometric import Geometric
from .run.workspace import Workspace
from .solvers.pose_priors import Upright
from .stage import Results
from .stages.arrange import ARRANGE
from .stages.describe import DESCRIBE
from .stages.extract import EXTRACT
from .stages.images import Photos
from .stages.imported import local_items, looks_at_photos
from .stages.quality import QUALITY, refuse
from .stages.retrieve import RETRIEVE


@dataclass(frozen=True, eq=False)
class Looked:
    """Queries by name, those that are broken or refused left out.

    `features`: None where photos are matched as they are, or not at all. `retrieved`: rows of the map images that look
    most like each, best first; `similarities`: how much each of them does, by row. `qualities` and `refused` are of all
    queries that could be read. `ups`: those under which poses are to be looked for.
    """

    photos: Photos
    qualities: Mapping[str, ImageQuality | None]
    refused: Mapping[str, PoseEstimate]
    features: Results[LocalFeatures] | None
    described: tuple[Results[GlobalDescriptor], ...]
    sensors: Mapping[str, Sensor]
    retrieved: Mapping[str, np.ndarray]
    similarities: Mapping[str, Mapping[int, float]]
    ups: Mapping[str, Upright | None]

    def given(self, images: Mapping[str, np.ndarray]) -> Looked:
        """Some of the queries with other map images."""
        return replace(self, retrieved=images)


def look(work: Workspace, map_: Map, photos: Photos, config: LocalizationConfig, ups: Mapping[str, Upright]) -> Looked:
    """Everything that is to be known of the queries."""
    names, feature = photos.capture.images.names, map_.config.extract
    qualities = judged(work, photos, feature, config)
    refused = refuse(config.quality, qualities)
    wanted, features = [name for name in names if name in qualities and name not in refused], None
    if not (isinstance(query_matcher(config, map_.config), PhotoMatcher) or config.paradigm == "approximation"):
        features = work.each(EXTRACT, local_items(photos, wanted, feature), feature)
        wanted = list(features)
    described = describe(work, map_, photos, wanted)
    found = [name for name in wanted if all(name in vectors for vectors in described)]
    sensors = {name: photos.capture.sensor(name) for name in found}
    choice = Choice(config.filter, taken_in(photos.capture, found), map_.taken) if config.filter.is_active else None
    retrieved, similarities = retrieve(work, map_, described, features, sensors, config, choice)
    under = {name: ups.get(name) for name in found}
    return Looked(photos, qualities, refused, features, tuple(described), sensors, retrieved, similarities, under)


def judged(
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
) -> tuple[dict[str, np.ndarray], dict[str, dict[int, float]]]:
    """The map images (rows of its sparse map) that look most like each query, best first, of those it may be given.

    And how similar the rows are.
    """
    names, sparse, count = list(sensors), map_.sparse, config.retrieve.num_retrieved
    known = map_.vectors, map_.fusion, config.reranking, sparse.cam_from_world, choice
    ranking = work.once(RETRIEVE, config.retrieve, vectors_of(described, names), *known).value
    retrieved = {name: ranking.of(row) for row, name in enumerate(names)}
    similarities = {name: ranking.scored(row) for row, name in enumerate(names)}
    if features is None or not (config.reranking and isinstance(geometric := config.reranking[-1], Geometric)):
        return retrieved, similarities
    shared = [map_.features, map_.stored, query_matcher(config, map_.config), config.seed]
    arranged = work.each(ARRANGE, names, geometric, each=[features, retrieved, sensors], shared=shared)
    return {name: arranged[name].of(0)[:count] for name in names}, similarities
