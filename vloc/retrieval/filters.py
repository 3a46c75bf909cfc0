"""Which map images a query may be given at all, by what captures say of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from ..array_types import Bool, Int64
from ..data.taken import Taken
from ..errors import ConfigError
from ..registry import Time
from .search import Allowed


@dataclass(frozen=True)
class FilterConfig:
    """Which map images a query may be given; every setting leaves some out."""

    cameras: str = ""
    """those that these sensors of the map's capture took, as cam0/cam1; all unless given"""
    times: str = ""
    """those of these timestamps, as FIRST/LAST, both included"""
    max_distance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """those no further from where the queries' capture has a query, in the map's frame, m; queries without a pose get
    all; 0: wherever they are"""
    min_time_apart: Time = 0
    """those as long as this before or after a query, or longer, in the units of the timestamps"""
    other_folders: Annotated[int, msgspec.Meta(ge=0)] = 0
    """those whose path does not begin with the same folders as a query's, so many of them: 1 for SEQUENCE/IMAGE"""

    @property
    def is_active(self) -> bool:
        """Whether it leaves out anything."""
        return self != FilterConfig()

    @property
    def asks_of_queries(self) -> bool:
        """Whether it needs to know more of queries than what they look like."""
        return bool(self.max_distance or self.min_time_apart or self.other_folders)


@dataclass(frozen=True, eq=False)
class Choice:
    """A filter with what it goes by: what the captures say of queries and of the map's images."""

    config: FilterConfig
    queries: Taken | None
    images: Taken

    def allowed(self) -> Allowed:
        """The mask of the search. ConfigError for cameras that the map lacks, times that are none, or no positions."""
        always, config, queries, images = self._always(), self.config, self.queries, self.images
        if queries is None:
            return lambda rows: np.broadcast_to(always, (len(rows), len(always)))
        codes: dict[str, int] = {}
        own, others = (_folder_codes(each.names, config.other_folders, codes) for each in (queries, images))
        if config.max_distance and not np.isfinite(queries.centers).all(axis=1).any():
            raise ConfigError(f"filter.max_distance {config.max_distance:g}: the queries' capture has no poses")

        def mask(rows: Int64[np.ndarray, "q"]) -> Bool[np.ndarray, "q r"]:
            is_allowed = np.repeat(always[None], len(rows), axis=0)
            if config.max_distance:
                away = np.linalg.norm(queries.centers[rows, None] - images.centers, axis=2)
                is_allowed &= ~(away > config.max_distance)  # also where it is not known
            if config.min_time_apart:
                is_allowed &= np.abs(queries.timestamps[rows, None] - images.timestamps) >= config.min_time_apart
            if config.other_folders:
                is_allowed &= own[rows, None] != others
            return is_allowed

        return mask

    def _always(self) -> Bool[np.ndarray, "r"]:
        """The images that some query may be given."""
        images, is_allowed = self.images, np.ones(len(self.images.names), bool)
        if wanted := self.config.cameras.split("/") if self.config.cameras else []:
            if unknown := {*wanted} - {*images.device_ids}:
                known = ", ".join(images.device_ids)
                raise ConfigError(f"filter.cameras '{min(unknown)}': not in the map: choose from {known}")
            is_allowed &= np.isin(images.devices, [images.device_ids.index(name) for name in wanted])
        if self.config.times:
            first, last = _interval(self.config.times)
            is_allowed &= (first <= images.timestamps) & (images.timestamps <= last)
        return is_allowed


def _interval(text: str) -> tuple[int, int]:
    try:
        first, last = (int(part) for part in text.split("/"))
    except ValueError:
        raise ConfigError(f"filter.times '{text}': expected two timestamps, FIRST/LAST") from None
    return first, last


def _folder_codes(names: tuple[str, ...], count: int, codes: dict[str, int]) -> Int64[np.ndarray, "i"]:
    """A number for the first folders of every path, from `codes`, which grow; a path with fewer is one of its own."""
    parts = [name.split("/") for name in names]
    folders = ["/".join(part[:count]) if len(part) > count else name for part, name in zip(parts, names, strict=True)]
    return np.array([codes.setdefault(folder, len(codes)) for folder in folders], np.int64)
