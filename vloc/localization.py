"""Queries in, poses out, against a finished map: extract and describe as the map does, retrieve, match, register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .data.selection import Ranking
from .map import Map, stack_vectors
from .mapping import artifact, by_item
from .run.fingerprint import fingerprint
from .run.workspace import Workspace
from .stage import Artifact, Results
from .stages.correspond import CORRESPOND
from .stages.describe import DESCRIBE
from .stages.extract import EXTRACT
from .stages.images import ImageItems
from .stages.queries import QueryItems
from .stages.register import REGISTER
from .stages.retrieve import RETRIEVE


def localize_capture(work: Workspace, map_: Map, queries: Capture, config: LocalizationConfig) -> list[PoseEstimate]:
    """One estimate for every image of `queries`, in their order; broken images get one that says so."""
    images = ImageItems(queries, queries.images.names, work.content_hash, map_.config.extract.in_color)
    features = work.each(EXTRACT, images, map_.config.extract)
    names = list(features)
    retrieved = retrieve(work, map_, queries, names, config)
    candidates = {name: retrieved.value.of(row) for row, name in enumerate(names)}
    chosen = {name: fingerprint(rows) for name, rows in candidates.items()}
    matches = work.each(
        CORRESPOND,
        QueryItems(names, [features.fingerprint_of, chosen.__getitem__]),
        config.match or map_.config.match,
        by_item(features),
        by_item(candidates.__getitem__),
        Artifact(map_.features, map_.fingerprint),
        Artifact(map_.sparse, map_.fingerprint),
    )
    estimates = work.each(
        REGISTER,
        QueryItems(list(matches), [matches.fingerprint_of, lambda name: fingerprint(queries.camera(name))]),
        config.register,
        by_item(features),
        by_item(matches),
        by_item(queries.camera),
        Artifact(map_.sparse.points, map_.fingerprint),
        artifact(config.seed),
    )
    map_names = map_.sparse.image_names
    return [
        replace(estimates[name], retrieved=tuple(map_names[row] for row in candidates[name]))
        if name in estimates
        else PoseEstimate(name, None, "none", reason=_failure(name, features, matches, estimates))
        for name in queries.images.names
    ]


def retrieve(
    work: Workspace, map_: Map, queries: Capture, names: Sequence[str], config: LocalizationConfig
) -> Artifact[Ranking]:
    """The map images (rows of its sparse map) that look most like each query."""
    described = [
        work.each(DESCRIBE, ImageItems(queries, names, work.content_hash, d.in_color, d.image_size), d, trained)
        for d, trained in zip(map_.config.describe, map_.trained, strict=True)
    ]
    vectors = [stack_vectors(results, names) for results in described]
    return work.once(
        RETRIEVE,
        config.retrieve,
        Artifact(vectors, fingerprint([results.fingerprint for results in described])),
        Artifact(map_.vectors, map_.fingerprint),
        artifact(map_.config.fuse),
    )


def _failure(name: str, *stages: Results[Any]) -> str:
    return next((results.failures[name] for results in stages if name in results.failures), "")
