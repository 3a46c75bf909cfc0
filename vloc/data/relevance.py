"""What people say of a query: which images show the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relevance:
    """Which images show what a query shows: easily told, with effort, or so that nobody is asked to."""

    easy: frozenset[str] = frozenset()
    hard: frozenset[str] = frozenset()
    junk: frozenset[str] = frozenset()
