"""Matches that another program found: read, not computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec

from ..errors import ConfigError
from ..runtime import Runtime
from .base import MATCHERS, PairMatcher
from .nearest_neighbour import LoadedNearestNeighbour, NearestNeighbour


@MATCHERS.register("imported")
@dataclass(frozen=True)
class ImportedMatcher(NearestNeighbour):
    """Matches of a map's images that came with the capture, or lie in a folder or file beside it.

    Queries are matched by nearest neighbours, as `nn` with these settings.
    """

    plugin_name: ClassVar[str]

    ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """of queries: as for `nn`; 0 is filled in with what the imported features are usually matched with"""
    type: str = ""
    """keypoints that the matches are of; may be left out where there are matches of those that are imported"""
    path: str = ""
    """folder with matches/, kapture folder, or .h5 file; else the capture itself"""

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher of queries."""
        if not self.ratio:
            raise ConfigError(
                "matcher 'imported' reads a map's own matches: queries need one that computes, such as nn"
            )
        return LoadedNearestNeighbour(self)
