"""The card of a query: its matches with the map image that says most, and the images it was compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np

from ..array_types import Float64
from ..data.capture import Capture, ImageFiles
from ..data.estimate import PoseEstimate
from ..errors import DataError
from ..formats.images import decode
from ..map import Map
from ..stages.images import Photo, Turner
from . import template
from .evidence import NUM_COMPARED, Evidence, Finder
from .pictures import data_uri, fitted, match_picture
from .rows import Row


@dataclass(frozen=True, eq=False)
class Card:
    """A query's pictures as HTML, and by how many px the matches that agree with its pose are off it."""

    html: str
    errors_px: Float64[np.ndarray, "m"]


@dataclass(frozen=True, eq=False)
class Painter:
    """Makes the pictures of queries."""

    map: Map
    queries: Capture
    photos: ImageFiles | None
    find: Finder

    def card(self, row: Row) -> Card:
        """A query with its matches and its retrieved images."""
        estimate = row.estimate
        query = _pixels(self.queries.files, estimate.name)
        evidence = None if query is None else self._evidence(query, estimate)
        picture = None if query is None else self._picture(query, evidence)
        html = template.card(
            f"{row.label}. {estimate.name}",
            row.verdict,
            failed=not estimate.is_localized,
            picture=picture,
            strip=self._strip(query, estimate),
        )
        return Card(html, np.zeros(0) if evidence is None else evidence.errors_px[evidence.agrees])

    def _evidence(self, query: np.ndarray, estimate: PoseEstimate) -> Evidence | None:
        files, config, name = self.queries.files, self.map.config, estimate.name
        pixels = query if config.extract.in_color else _pixels(files, name, color=False)
        if files is None or pixels is None:
            return None
        photo = Photo.turned(pixels, self._turner(files.read(name), name))
        return self.find(photo, self.queries.camera(name), estimate)

    def _picture(self, query: np.ndarray, evidence: Evidence | None) -> str:
        other = None if evidence is None else _pixels(self.photos, evidence.image)
        if evidence is None or other is None:
            return data_uri(fitted(query, 420))
        return data_uri(match_picture(query, other, evidence))

    @cached_property
    def _turner(self) -> Turner:
        return self.map.config.look.turner(self.queries)

    def _strip(self, query: np.ndarray | None, estimate: PoseEstimate) -> list[tuple[str, str]]:
        found = [("the query", query)]
        names = estimate.retrieved[:NUM_COMPARED]
        found += [(_caption(estimate, place), _pixels(self.photos, name)) for place, name in enumerate(names)]
        return [(data_uri(fitted(pixels, 120)), caption) for caption, pixels in found if pixels is not None]


def _caption(estimate: PoseEstimate, place: int) -> str:
    """Of a retrieved image: its rank, its name and, where that is known, how similar it is."""
    told, similarities = f"{place + 1}: {estimate.retrieved[place]}", estimate.similarities
    known = place < len(similarities) and not isnan(similarities[place])
    return f"{told}, similarity {similarities[place]:.2f}" if known else told


def _pixels(files: ImageFiles | None, name: str, *, color: bool = True) -> np.ndarray | None:
    """An image, or None where it is not to be had: the localization has already said why."""
    if files is None:
        return None
    try:
        return decode(files.read(name), name, color=color)
    except DataError:
        return None
