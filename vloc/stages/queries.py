"""Queries as items of a stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class QueryItems:
    """Query images by name; the stage itself reads what it needs of them."""

    keys: Sequence[str]
    inputs: Sequence[Callable[[str], str]]
    """fingerprints of what the stage reads for a query"""

    def fingerprint(self, index: int) -> str:
        """Changes when something read for this query does."""
        return " ".join(fingerprint(self.keys[index]) for fingerprint in self.inputs)

    def load(self, index: int) -> str:
        """The query's name."""
        return self.keys[index]
