"""What placing gives of queries: estimates, the matches they are made of, and who can have failed."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .data.estimate import PoseEstimate
from .stage import Results


@dataclass(frozen=True, eq=False)
class Placed:
    """Estimates by name, the matches that they are made of, if any, and every stage that can have failed."""

    estimates: Mapping[str, PoseEstimate]
    matches: Mapping[str, Any] | None
    stages: tuple[Results[Any], ...]

    def over(self, earlier: Placed) -> Placed:
        """This, and what was there before of the queries that it does not hold."""
        matches = None if self.matches is None or earlier.matches is None else _joined(self.matches, earlier.matches)
        return Placed(_joined(self.estimates, earlier.estimates), matches, earlier.stages)


def _joined(late: Mapping[str, Any], early: Mapping[str, Any]) -> Mapping[str, Any]:
    return ChainMap(late, early)  # type: ignore[arg-type]
