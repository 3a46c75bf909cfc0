"""Query -> the points of the map that it shows, by the places at which its photo matches those of map images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..data.capture import Sensor
from ..data.features import LocalFeatures
from ..data.map_images import MapImages, Shown
from ..data.photo_matches import PhotoMatches, Sightings
from ..data.sparse_map import SparseMap
from ..features.matched import Matched
from ..matching.quantised import NOWHERE, nearest
from ..runtime import Runtime
from ..stage import EachStage, Results, Run
from .quantise import PairsOf

T = TypeVar("T")


def seen_with(config: Matched, shown: Shown, image: int, found: PhotoMatches) -> Sightings:
    """What a query shows by its matches (`second`) with a map image (row): points of keypoints near `first`."""
    rows = nearest(found.first, shown.features.keypoints, config.cell_px(shown.size))
    kept = np.flatnonzero(rows != NOWHERE)
    of_image = np.full(len(kept), image, np.int32)
    return Sightings(found.second[kept], shown.points[rows[kept]], found.scores[kept], of_image)


def joined(seen: Sequence[Sightings], radius_px: float) -> Sightings:
    """One place a point: the mean, by scores, of its places around that of the highest score."""
    none = Sightings.none()
    places, points, scores, images = (
        np.concatenate([getattr(each, column) for each in (none, *seen)])
        for column in ("places", "points", "scores", "images")
    )
    order = np.lexsort((-scores, points))
    places, points, scores, images = places[order], points[order], scores[order], images[order]
    distinct, firsts, of_row = np.unique(points, return_index=True, return_inverse=True)
    if not len(distinct):
        return none
    apart = np.linalg.norm(places - places[firsts[of_row]], axis=1)
    weights = np.where(apart <= radius_px, scores.astype(np.float64), 0)
    total = np.add.reduceat(weights, firsts)
    means = np.add.reduceat(weights[:, None] * places, firsts) / total[:, None]
    return Sightings(means.astype(np.float32), distinct, total.astype(np.float32), images[firsts])


def _start(
    config: Matched,
    runtime: Runtime,
    found: PairsOf[PhotoMatches],
    sensors: Mapping[str, Sensor],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
) -> Run[str, Sightings]:
    shown = MapImages(features, sparse)

    def sight(name: str) -> Sightings:
        images = [(sparse.row_of[pair[0]], matches) for pair, matches in found[name]]
        seen = [seen_with(config, shown(image), image, matches) for image, matches in images]
        return joined(seen, config.cell_px(sensors[name].image_size))

    def run(names: Iterable[str]) -> Iterator[Sightings]:
        return map(sight, names)

    return run


SIGHT: EachStage[str, Sightings] = EachStage("sight", 1, Sightings, _start, chunk=8)


@dataclass(frozen=True, eq=False)
class PartOf(Mapping[str, T]):
    """One part of every sighting, as a table of a stage."""

    sightings: Results[Sightings]
    part: Callable[[Sightings], T]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sightings)

    def __len__(self) -> int:
        return len(self.sightings)

    def __getitem__(self, name: str) -> T:
        """That of one query."""
        return self.part(self.sightings[name])

    def fingerprint_of(self, name: str) -> str:
        """That of the sightings."""
        return self.sightings.fingerprint_of(name)
