"""Where a command writes a capture."""

from __future__ import annotations

from pathlib import Path

from ..data.capture import Capture
from ..errors import DataError
from ..formats.access import formats, write
from .convert import summary
from .messages import tell_losses
from .options import WriteFlags


def check_targets(targets: list[str]) -> list[str]:
    """The outputs as FORMAT:PATH, a bare path being a kapture folder; DataError for one that is there or twice."""
    known = {form.name for form in formats()}
    full = [text if text.partition(":")[0] in known else f"kapture:{text}" for text in targets]
    paths = [Path(text.partition(":")[2]) for text in full]
    for path in paths:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise DataError(f"{path}: exists already; remove it or write elsewhere")
    if len({path.resolve() for path in paths}) != len(paths):
        raise DataError(f"{paths[0]}: both outputs are the same")
    return full


def write_to(capture: Capture, target: str, flags: WriteFlags) -> int:
    """Write a capture and tell what was written and what was lost; gives the exit status."""
    losses = write(capture, target, **flags.write_options)
    print(summary(capture, target))
    return tell_losses(losses)
