"""Images of one viewpoint count once: the list goes on with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import Int64
from ..data.selection import NOTHING, Ranking
from ..errors import ConfigError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid
from .reranking import RERANKINGS, Searcher
from .search import Allowed, Vectors


@RERANKINGS.register("diverse")
@dataclass(frozen=True)
class Diverse:
    """References that were taken where a better one was come after all others of the list.

    The greedy choice of maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998), with poses to tell duplicates.
    """

    stands: ClassVar[Literal["first", "anywhere", "last"]] = "anywhere"

    depth: Annotated[int, msgspec.Meta(ge=1)] = 100
    """first references that are put in another order"""
    max_distance: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    """m (map units where there are none): between camera centres of one viewpoint"""
    max_angle_deg: Annotated[float, msgspec.Meta(ge=0, le=180)] = 20.0
    """degrees: between their rotations"""

    def over(self, base: Searcher) -> Searcher:
        """The search whose lists are diverse. ConfigError where nobody knows the references' poses."""
        poses = base.cam_from_world
        if poses is None:
            raise ConfigError("re-ranking 'diverse': needs the poses of the references")

        def find(queries: Vectors, k: int, allowed: Allowed | None) -> Ranking:
            columns, scores = base(queries, max(k, self.depth), allowed).padded(len(queries[0]))
            for row in range(len(columns)):
                listed = columns[row, : self.depth]
                listed = listed[listed != NOTHING]
                order = np.argsort(self._repeats(poses[listed]), kind="stable")
                columns[row, : len(order)] = listed[order]
                scores[row, : len(order)] = scores[row, order]
            return Ranking.packed(columns[:, :k], scores[:, :k])

        return base.by(find)

    def _repeats(self, poses: Rigid) -> Int64[np.ndarray, "k"]:
        """1 for poses that are those of an earlier one that is not such a repetition itself, 0 for others."""
        repeats = np.zeros(len(poses), np.int64)
        for row in range(1, len(poses)):
            chosen = poses[np.flatnonzero(repeats[:row] == 0)]
            metres, radians = pose_errors(chosen, poses[row])
            repeats[row] = np.any((metres <= self.max_distance) & (np.degrees(radians) <= self.max_angle_deg))
        return repeats
