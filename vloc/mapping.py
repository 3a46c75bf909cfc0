"""Capture in, map out: a straight line of stages, no step looks back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .config import MappingConfig, config_to_json
from .data.capture import Capture
from .data.evidence import Trials
from .data.features import GlobalDescriptor, LocalFeatures, Matches
from .data.pairs import Pair, Pairs
from .data.selection import Trained, Weighing, evenly
from .data.sparse_map import SparseMap
from .data.taken import taken_in
from .describing import check_recorded, described_by, plugins_of
from .errors import StageError
from .framing import frame_of
from .known_cameras import calibrated_devices
from .learned import Learned
from .map import Map, fusion_by, manifest_of, vectors_of
from .matching.base import PhotoMatcher, PosedMatcher
from .matching.imported import ImportedMatcher
from .photo_matching import match_photos, readable
from .points import check_points, find_points
from .publishing import publish
from .retrieval.base import TRAINING_IMAGES
from .retrieval.fusion import Fusion
from .retrieval.sparse_rows import Rows
from .run.workspace import Workspace
from .stage import Artifact, Context, Results
from .stages.calibrate import CALIBRATE, TRY
from .stages.color import COLOR, COLOR_SIZE
from .stages.describe import DESCRIBE, TRAIN
from .stages.extract import EXTRACT
from .stages.images import Photos
from .stages.import_matches import IMPORT, matched_items, matched_type_of
from .stages.imported import local_items
from .stages.match import MATCH, tiled
from .stages.match_posed import MATCH_POSED
from .stages.pair import PAIR, check, layout
from .stages.place import PLACE
from .stages.record import RECORD
from .stages.verify import VERIFY, View
from .stages.weigh import WEIGH


def map_capture(
    work: Workspace,
    capture: Capture,
    config: MappingConfig,
    pairs: Sequence[Pair] | None = None,
    about: Mapping[str, Any] | None = None,
    *,
    retrain: bool = False,
    scan: Path | None = None,
) -> Map:
    """Build the map of a capture in a workspace. With `pairs`, those of images that can be placed are matched.

    `scan`: a file that `formats.scan` reads, in the frame of the capture's poses.

    What the map that is there learned from its images stays, unless `retrain` or `config.learn`: else an added image
    would change all vectors. Images with poses are triangulated with the poses fixed; a capture without any is
    reconstructed by SfM.
    """
    if pairs is None and not isinstance(config.match, ImportedMatcher):
        check(config.pair, capture)
    work.require(plugins_of(config.extract, config.describe, config.match))
    photos = Photos(capture, work.content_hash, config.look)
    check_points(photos, config, scan)
    check_recorded(photos, capture.images.names, config.describe, of_map=True)
    extracted = extract(work, photos, config)
    names = placeable(capture, readable(work, photos) if extracted is None else extracted)
    known = Learned.before(work.folder, config_to_json(config), len(names), anew=retrain)
    described = describe(work, photos, names, config, known.references)
    names = with_all(names, described.vectors)
    vectors = vectors_of(described.vectors, names)
    if pairs is None:
        pairs = paired(work, capture, names, vectors, config)
    views = {name: view(capture, name) for name in names}
    pairs = tiled(Pairs.of(pairs).among(views))
    features, matches = match(work, photos, pairs, extracted, views, config)
    found = find_points(work, photos, views, features, matches, config, scan, known.references)
    reconstruction = found.sparse
    shown = photos.there(names)
    colors = work.each(COLOR, shown, None, each=[photos.of(shown, in_color=True, min_size=COLOR_SIZE), features])
    frame = frame_of(work.folder, capture, reconstruction, config.seed, uses_rigs=config.sfm.rigs != "none")
    sparse = work.once(PLACE, None, reconstruction, frame.similarity, colors)
    weighing = weighed(work, reconstruction, described, config, known.references)
    fusion = fusion_by(config, weighing)
    trials = tried(work, features, reconstruction, described, config, fusion, known.references)
    parts: dict[str, Context | tuple[Context, ...]] = {
        "reconstruction": reconstruction,
        "colors": colors,
        "sparse": sparse,
        "calibration": work.once(CALIBRATE, None, trials),
        "features": features,
        "descriptors": described.vectors,
        "trained": described.trained,
        "taken": work.once(RECORD, None, taken_in(capture, names)),
        **({} if weighing is None else {"weighing": weighing}),
    }
    refined = config.sfm.refine_intrinsics and not capture.has_pose.any()
    devices = calibrated_devices(capture, all_refined=refined)
    learned = known.after(*described.trained, trials, weighing, found.noise, num_images=len(names))
    return publish(work, manifest_of(config, parts, frame, {"learned": learned, "devices": devices, **(about or {})}))


def paired(
    work: Workspace, capture: Capture, names: Sequence[str], vectors: Artifact[list[Rows]], config: MappingConfig
) -> Sequence[Pair]:
    """The pairs worth matching: all that have matches where these are imported, else the images' most similar ones.

    None for a map without points.
    """
    if config.points.source == "none":
        return []
    if isinstance(config.match, ImportedMatcher):
        return matched_type_of(capture, config.match)[1].pairs
    # Weights that are to be chosen need points, which need pairs.
    fusion = config.fuse.weighed(None) if config.fuse.is_open else config.fuse
    ranked = work.once(PAIR, config.pair, layout(capture, names), vectors, fusion)
    return Pairs(names, ranked.value.rows.astype(np.int32))


def extract(work: Workspace, photos: Photos, config: MappingConfig) -> Results[LocalFeatures] | None:
    """The local features of all photos; None where their keypoints are where they will match."""
    if isinstance(config.match, PhotoMatcher):
        return None
    return work.each(EXTRACT, local_items(photos, photos.capture.images.names, config.extract), config.extract)


def match(
    work: Workspace,
    photos: Photos,
    pairs: Sequence[Pair],
    features: Results[LocalFeatures] | None,
    views: Mapping[str, View],
    config: MappingConfig,
) -> tuple[Results[LocalFeatures], Results[Matches]]:
    """Features, and the matches between them that the two cameras allow.

    Known poses come before matching where the matcher can use them.
    """
    sizes = {name: view.camera.size for name, view in views.items()}
    if features is None or isinstance(config.match, PhotoMatcher):
        assert isinstance(config.match, PhotoMatcher)  # noqa: S101 - which there are no features for
        features, matches = match_photos(work, photos, pairs, sizes, config.match, config)
    elif isinstance(config.match, PosedMatcher) and all(view.cam_from_world is not None for view in views.values()):
        return features, work.each(MATCH_POSED, pairs, config.match, each=[features, views])
    elif isinstance(config.match, ImportedMatcher):
        items = matched_items(photos, pairs, features, config.match)
        matches = work.each(IMPORT, items, config.match, shared=[config.extract])
    else:
        matches = work.each(MATCH, pairs, config.match, each=[features, sizes])
    shared = [config.seed]
    return features, work.each(VERIFY, matches.succeeded, config.verify, each=[features, matches, views], shared=shared)


def weighed(
    work: Workspace,
    sparse: Artifact[SparseMap],
    described: Described,
    config: MappingConfig,
    learned: Sequence[str],
) -> Artifact[Weighing] | None:
    """The descriptors' weights by what the map shows, where they are to be chosen."""
    if not config.fuse.is_open:
        return None
    vectors = vectors_of(described.vectors, sparse.value.image_names)
    return work.once(WEIGH, config.fuse, sparse, vectors, earlier=learned, despite=("sparse", "vectors"))


def tried(
    work: Workspace,
    features: Results[LocalFeatures],
    sparse: Artifact[SparseMap],
    described: Described,
    config: MappingConfig,
    fusion: Fusion | Artifact[Fusion],
    learned: Sequence[str],
) -> Results[Trials]:
    """How some images of the map are localized without themselves, or were before: what evidence is worth in it."""
    names = sparse.value.image_names
    shared = [features, sparse, vectors_of(described.vectors, names), fusion, config.match, config.seed]
    untried = isinstance(config.match, PhotoMatcher) or config.points.source == "none"
    if untried:
        return work.each(TRY, (), config.calibrate, shared=shared)
    some, despite = evenly(names, config.calibrate.num_images), ("features", "sparse", "vectors")
    return work.each(TRY, some, config.calibrate, shared=shared, earlier=learned, despite=despite)


def view(capture: Capture, name: str) -> View:
    """What geometry knows of an image."""
    guessed = capture.device(name) if capture.sensor(name).has_guessed_focal else ""
    return View(capture.camera(name), capture.pose(name), guessed)


def placeable(capture: Capture, there: Collection[str]) -> list[str]:
    """Those of the images that are there that can enter the map: posed, if any image of the capture is."""
    some_posed = capture.has_pose.any()
    names = [name for name in there if not some_posed or capture.has_pose[capture.row_of[name]]]
    if not names:
        raise StageError(f"no image of the {len(capture.images)} can be mapped: all of them are broken or without pose")
    return names


def with_all(names: Sequence[str], described: Sequence[Results[GlobalDescriptor]]) -> list[str]:
    """The images that have every global descriptor; imported ones may lack some."""
    found = [name for name in names if all(name in vectors for vectors in described)]
    if not found:
        raise StageError(f"no image of {len(names)} has all global descriptors")
    return found


@dataclass(frozen=True)
class Described:
    """For every global descriptor, those of all images and what it learned from them first."""

    vectors: tuple[Results[GlobalDescriptor], ...]
    trained: tuple[Artifact[Trained], ...]


def describe(
    work: Workspace, photos: Photos, names: Sequence[str], config: MappingConfig, learned: Sequence[str]
) -> Described:
    """The images as wholes; what descriptors have learned before (references) stays."""
    vectors, learning = [], []
    for descriptor in config.describe:
        shown = described_by(work, photos, names, descriptor, config.extract)
        drawn = replace(shown, keys=evenly(shown.keys, TRAINING_IMAGES))
        trained = work.once(TRAIN, descriptor, drawn, config.seed, earlier=learned, despite=("images",))
        vectors.append(work.each(DESCRIBE, shown, descriptor, shared=[trained]))
        learning.append(trained)
    return Described(tuple(vectors), tuple(learning))
