"""Where a command writes a capture, and how: flags that several commands share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..data.capture import Capture
from ..errors import DataError
from ..formats.access import formats, write
from ..formats.base import Transfer
from .convert import summary


@dataclass(frozen=True, kw_only=True)
class WriteFlags:
    """How to write a capture."""

    transfer: Transfer = "copy"
    """how image files get into the output: copied, as one link to their folder, or not at all"""
    write_pixel_center: Literal["0", "0.5"] = "0.5"
    """px: where the output puts the centre of the first pixel (COLMAP: 0.5)"""
    keypoints_type: str | None = None
    """which keypoints to write where the output holds one type and the capture several"""

    @property
    def write_options(self) -> dict[str, Any]:
        """Keyword arguments of `write`."""
        center = float(self.write_pixel_center)
        return {"transfer": self.transfer, "pixel_center": center, "keypoints_type": self.keypoints_type}


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


def write_to(capture: Capture, target: str, flags: WriteFlags) -> None:
    """Write a capture and tell what was written and what was lost."""
    losses = write(capture, target, **flags.write_options)
    print(summary(capture, target))
    for loss in losses:
        print(f"lost: {loss}", file=sys.stderr)
