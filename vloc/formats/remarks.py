"""What a reader did that its user should know of, and what it left out: one counted line a kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import shortened

LONGEST_FIRST = 300
"""characters of the item that a remark names"""


@dataclass
class Remarks:
    """Counted remarks, and apart from them what the source has and the capture lacks, by first occurrence."""

    _found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    _lost: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, path: Path, what: str, count: int = 1, first: str = "") -> None:
        """Count `what` (in the plural: `rows left out`) of a file; `first` is where or what the first one is."""
        _count(self._found, (path.name, what), count, first)

    def lose(self, path: Path, what: str, count: int = 1, first: str = "") -> None:
        """Count what a capture of this kind could hold and this one lacks: `rows left out`, `frames not decoded`."""
        _count(self._lost, (path.name, what), count, first)

    def lines(self) -> tuple[str, ...]:
        """The remarks as `file: count what (first: ...)`."""
        return _lines(self._found)

    def left_out(self) -> tuple[str, ...]:
        """What is lacking, in the same form."""
        return _lines(self._lost)


def _count(found: dict[tuple[str, str], tuple[int, str]], kind: tuple[str, str], count: int, first: str) -> None:
    before, first = found.get(kind, (0, shortened(first, LONGEST_FIRST)))
    found[kind] = before + count, first


def _lines(found: dict[tuple[str, str], tuple[int, str]]) -> tuple[str, ...]:
    return tuple(
        f"{name}: {count} {what}" + (f" (first: {first})" if first else "")
        for (name, what), (count, first) in found.items()
    )
