"""What commands say of what they read, and print of items that failed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..data.capture import Capture
from ..formats.access import find_format, read
from ..formats.base import FileLoss
from .main import OK, WITH_FAILURES


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


def read_capture(location: str, *, quiet: bool = False, **options: Any) -> Capture:
    """The capture at a location; what it is taken for and what it lacks of its source are told on standard error."""
    form, path = find_format(location)
    if not quiet and path.exists():
        print(f"reading {path} as {form.name}", file=sys.stderr)
    capture = read(f"{form.name}:{path}", **options)
    print_warnings(capture.left_out)
    return capture


def tell_losses(losses: Sequence[str]) -> int:
    """Tell on standard error what an output lacks; gives the exit status, which files that were lost change."""
    for loss in losses:
        print(f"lost: {loss}", file=sys.stderr)
    return WITH_FAILURES if any(isinstance(loss, FileLoss) for loss in losses) else OK


def print_warnings(left_out: Sequence[str]) -> None:
    """Tell on standard error what the source has and the capture lacks."""
    for line in left_out:
        print(f"vloc: warning: {line}", file=sys.stderr)
