"""Other ways to place queries than by the points of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .config import LocalizationConfig, query_matcher
from .data.capture import Sensor
from .data.estimate import PoseEstimate
from .data.features import GlobalDescriptor
from .data.pairs import Pairs
from .errors import ConfigError
from .map import Map, vectors_of
from .mapping import match
from .matching.base import Matcher, PhotoMatcher
from .matching.imported import ImportedMatcher
from .retrieval.geometric import Geometric
from .run.inputs import Table
from .run.workspace import Workspace
from .stage import Results
from .stages.approximate import APPROXIMATE
from .stages.images import Photos
from .stages.local_sfm import LOCAL_SFM, Steps, pairs_among
from .stages.match import tiled
from .stages.quantise import PairsOf
from .stages.verify import View


def check_paradigm(map_: Map, config: LocalizationConfig) -> None:
    """ConfigError, before any work, for settings that need what a paradigm does without."""
    if config.paradigm == "map":
        return
    if config.rig.use == "joint":
        raise ConfigError(
            f"--rig joint solves for all cameras by the points of one map, and paradigm '{config.paradigm}' has none: "
            "--rig transfer"
        )
    matcher = query_matcher(config, map_.config)
    if config.paradigm == "local-sfm" and isinstance(matcher, PhotoMatcher | ImportedMatcher):
        raise ConfigError(
            f"paradigm 'local-sfm' matches the map's images by their features, which matcher '{matcher.plugin_name}' "
            "does not: --matcher nn, of a map with features"
        )
    if config.paradigm == "local-sfm" and not map_.has_all_keypoints:
        raise ConfigError(
            f"paradigm 'local-sfm' matches all keypoints of the map's images, and {map_.folder} keeps only those that "
            "show a point: give the folder of the map"
        )
    if config.paradigm == "approximation" and any(isinstance(made, Geometric) for made in config.reranking):
        raise ConfigError(
            "re-ranking 'geometric' matches local features, which paradigm 'approximation' does without: leave it out"
        )


def approximate(
    work: Workspace,
    map_: Map,
    described: Sequence[Results[GlobalDescriptor]],
    config: LocalizationConfig,
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
) -> Results[PoseEstimate]:
    """Poses from those of retrieved map images, by how similar these are."""
    names = list(retrieved)
    known = [names, vectors_of(described, names), map_.vectors, map_.sparse.cam_from_world]
    shared = [*known, config.retrieve.num_retrieved]
    return work.each(APPROXIMATE, names, config.approximate, each=[retrieved, sensors], shared=shared)


def place_locally(
    work: Workspace, map_: Map, photos: Photos, config: LocalizationConfig, seen: Sequence[Mapping[str, Any]]
) -> Results[PoseEstimate]:
    """Poses of queries by small maps of their own: of the map nothing but poses, cameras and features is used.

    `seen`: the queries' features, retrieved map images, sensors and qualities. Pairs are matched once for all queries.
    """
    features, retrieved, sensors, qualities = seen
    sparse, matcher = map_.sparse, query_matcher(config, map_.config)
    assert isinstance(matcher, Matcher)  # noqa: S101 - `check_paradigm` sees to it
    nearest = {name: rows[: config.local.num_images].astype(np.int64) for name, rows in retrieved.items()}
    pairs = {name: pairs_among(sparse.image_names, rows) for name, rows in nearest.items()}
    views = {name: View(sparse.camera(row), sparse.cam_from_world[row]) for row, name in enumerate(sparse.image_names)}
    every = tiled(Pairs.of(pair for own in pairs.values() for pair in own).once())
    mapping = replace(map_.config, match=matcher)
    matches = match(work, photos, every, map_.features, views, mapping)[1]
    steps = Steps(mapping.triangulate, matcher, config.correspond, config.register, config.refine, config.seed)
    tables: list[Table] = [features, nearest, PairsOf(matches, pairs), sensors, qualities]
    shared = [map_.features, map_.stored, map_.calibration]
    return work.each(LOCAL_SFM, list(nearest), steps, each=tables, shared=shared)
