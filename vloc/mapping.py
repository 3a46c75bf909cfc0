"""Capture in, map out: a straight line of stages, no step looks back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .config import MappingConfig
from .data.capture import Capture
from .data.features import GlobalDescriptor, LocalFeatures
from .data.selection import Ranking, Trained
from .errors import StageError
from .map import MANIFEST, Map, manifest_of, stack_vectors
from .retrieval.base import TRAINING_IMAGES, GlobalFeature
from .run.fingerprint import fingerprint
from .run.workspace import Workspace
from .stage import Artifact, Results
from .stages.describe import DESCRIBE, TRAIN
from .stages.extract import EXTRACT
from .stages.images import ImageItems
from .stages.match import MATCH, Pair, PairItems, both_images, tiled
from .stages.pair import PAIR, check
from .stages.triangulate import RECONSTRUCT, TRIANGULATE
from .stages.verify import VERIFY, View

BY_ITEM = "by item"
"""the fingerprint of a context that every item's own fingerprint covers"""


def map_capture(
    work: Workspace,
    capture: Capture,
    config: MappingConfig,
    pairs: Sequence[Pair] | None = None,
    about: Mapping[str, Any] | None = None,
) -> Map:
    """Build the map of a capture in a workspace. With `pairs`, those of images that can be placed are matched.

    Images with poses are triangulated with the poses fixed; a capture without any is reconstructed by SfM.
    """
    if pairs is None:
        check(config.pair, capture)
    images = ImageItems(capture, capture.images.names, work.content_hash, config.extract.in_color)
    features = work.each(EXTRACT, images, config.extract)
    names = placeable(capture, features)
    described = [describe(work, capture, names, descriptor, config.seed) for descriptor in config.describe]
    if pairs is None:
        pairs = choose_pairs(work, capture, names, [d for d, _ in described], config)
    placed = set(names)
    chosen = tiled([pair for pair in pairs if placed.issuperset(pair)])
    matches = work.each(MATCH, PairItems(chosen, [both_images(features)]), config.match, by_item(features))
    views = {name: view(capture, name) for name in names}
    verified = verify(work, matches, features, views, config)
    posed = capture.has_pose.any()
    solve, settings = (TRIANGULATE, config.triangulate) if posed else (RECONSTRUCT, config.sfm)
    sparse = work.once(solve, settings, artifact(names), artifact(views), features, verified, artifact(config.seed))
    references = {
        "sparse": sparse.reference,
        "features": features.reference,
        "descriptors": [d.reference for d, _ in described],
        "trained": [t.reference for _, t in described],
    }
    work.publish(MANIFEST, manifest_of(config, references, about or {}))
    return Map.open(work.folder)


def view(capture: Capture, name: str) -> View:
    """What geometry knows of an image."""
    return View(capture.camera(name), capture.pose(name), capture.sensor(name).has_guessed_focal)


def placeable(capture: Capture, features: Results[LocalFeatures]) -> list[str]:
    """The images that can enter the map: decoded, and posed if any image of the capture is."""
    some_posed = capture.has_pose.any()
    names = [name for name in features if not some_posed or capture.has_pose[capture.row_of[name]]]
    if not names:
        raise StageError(f"no image of the {len(capture.images)} can be mapped: all of them are broken or without pose")
    return names


def describe(
    work: Workspace, capture: Capture, names: Sequence[str], descriptor: GlobalFeature, seed: int
) -> tuple[Results[GlobalDescriptor], Artifact[Trained]]:
    """One global descriptor of every image, and what it learned from them first."""
    items = ImageItems(capture, names, work.content_hash, descriptor.in_color, descriptor.image_size)
    drawn = np.linspace(0, len(names) - 1, min(len(names), TRAINING_IMAGES)).astype(int)
    sample = replace(items, keys=[names[row] for row in drawn])
    content = fingerprint([sample.fingerprint(i) for i in range(len(sample.keys))])
    trained = work.once(TRAIN, descriptor, Artifact(sample, content), artifact(seed))
    return work.each(DESCRIBE, items, descriptor, trained), trained


def choose_pairs(
    work: Workspace,
    capture: Capture,
    names: Sequence[str],
    described: Sequence[Results[GlobalDescriptor]],
    config: MappingConfig,
) -> list[Pair]:
    """The pairs of image names worth matching."""
    vectors = [stack_vectors(results, names) for results in described]
    inputs = fingerprint([results.fingerprint for results in described])
    poses, made = capture.cam_from_world, capture.reconstruction
    known = fingerprint(
        [poses.rotation, poses.translation, capture.images.timestamps, capture.images.devices],
        dict(made.observations) if made and config.pair.method == "covisibility" else {},
    )
    ranking: Artifact[Ranking] = work.once(
        PAIR,
        config.pair,
        artifact(names),
        Artifact(capture, known),
        Artifact(vectors, inputs),
        artifact(config.fuse),
    )
    return [(names[a], names[b]) for a, b in ranking.value.rows]


def verify(
    work: Workspace,
    matches: Results[Any],
    features: Results[LocalFeatures],
    views: Mapping[str, View],
    config: MappingConfig,
) -> Results[Any]:
    """The matches that the two cameras allow."""
    seen = {name: fingerprint(view) for name, view in views.items()}
    items = PairItems(list(matches), [matches.fingerprint_of, lambda pair: f"{seen[pair[0]]} {seen[pair[1]]}"])
    return work.each(
        VERIFY, items, config.verify, by_item(features), by_item(matches), by_item(views), artifact(config.seed)
    )


def artifact(value: Any) -> Artifact[Any]:
    """A value as the context of a stage."""
    return Artifact(value, fingerprint(value))


def by_item(value: Any) -> Artifact[Any]:
    """A context of which a stage reads only what the fingerprints of its items cover."""
    return Artifact(value, BY_ITEM)
