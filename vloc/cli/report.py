"""What commands print of items that failed, and of what a capture lacks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any


def summary_of_failures(failures: Mapping[str, Mapping[Any, str]]) -> dict[str, str]:
    """Item -> reason, each item once, over all stages."""
    merged: dict[str, str] = {}
    for by_item in failures.values():
        for key, reason in by_item.items():
            merged.setdefault(key if isinstance(key, str) else " ".join(key), reason)
    return merged


def failure_lines(failures: Mapping[str, str]) -> str:
    """One line a failed item, with its reason."""
    if not failures:
        return ""
    reasons = "".join(f"  {reason if name in reason else f'{name}: {reason}'}\n" for name, reason in failures.items())
    return f"vloc: {len(failures)} failed, the others went on:\n{reasons}"


def print_warnings(left_out: Sequence[str]) -> None:
    """Tell on standard error what the source has and the capture lacks."""
    for line in left_out:
        print(f"vloc: warning: {line}", file=sys.stderr)
