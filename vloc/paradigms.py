"""Other ways to place queries than by the points of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .config import LocalizationConfig
from .data.capture import Sensor
from .data.estimate import PoseEstimate
from .data.features import GlobalDescriptor
from .errors import ConfigError
from .map import Map, vectors_of
from .retrieval.geometric import Geometric
from .run.workspace import Workspace
from .stage import Results
from .stages.approximate import APPROXIMATE


def check_paradigm(config: LocalizationConfig) -> None:
    """ConfigError, before any work, for settings that need what a paradigm does without."""
    if config.paradigm == "map":
        return
    if config.rig.use == "joint":
        raise ConfigError(
            f"--rig joint solves for all cameras by the points of one map, and paradigm '{config.paradigm}' has none: "
            "--rig transfer"
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
