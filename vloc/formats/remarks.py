"""What a reader did that its user should know of: one counted line a kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Remarks:
    """Counted remarks, in the order of their first occurrence."""

    _found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, path: Path, what: str, count: int = 1, first: str = "") -> None:
        """Count `what` (in the plural: `rows left out`) of a file; `first` is where or what the first one is."""
        before, first = self._found.get((path.name, what), (0, first))
        self._found[path.name, what] = before + count, first

    def lines(self) -> tuple[str, ...]:
        """`file: count what (first: ...)`."""
        return tuple(
            f"{name}: {count} {what}" + (f" (first: {first})" if first else "")
            for (name, what), (count, first) in self._found.items()
        )
