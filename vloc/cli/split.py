"""`vloc split CAPTURE CHOSEN REST`: one capture as two, by list, folder, number, time or area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from ..data import splitting
from ..data.capture import Capture
from ..errors import ConfigError, DataError
from ..formats.text_fields import refusal
from ..formats.text_lines import data_lines
from . import options
from .messages import read_capture
from .options import WriteFlags
from .settings import parse_flags
from .targets import check_targets, write_to


@dataclass(frozen=True, kw_only=True)
class SplitFlags(options.ReadFlags, WriteFlags):
    """Write the chosen images, with all that goes with them, to one capture and the rest to another.

    Choose by exactly one of --list, --folder, --every-nth, --time and --area.
    """

    source: options.location("CAPTURE")  # type: ignore[valid-type]
    """FORMAT:PATH, or a path whose format is recognised"""
    chosen: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="CHOSEN")]
    """FORMAT:PATH of the chosen images; a bare path means kapture"""
    rest: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="REST")]
    """FORMAT:PATH of the others"""
    list: Path | None = None
    """a text file with an image name a line"""
    folder: str | None = None
    """images in this folder of the capture's images"""
    every_nth: int | None = None
    """images of the first, n+1st, 2n+1st ... time"""
    time: tuple[int, int] | None = None
    """images of the timestamps from the first to the last, both included, in the capture's unit"""
    area: tuple[float, float, float, float, float, float] | None = None
    """x y z of the lower, then of the upper corner of a box in world coordinates (m) that camera centres are in"""


def run(arguments: Sequence[str]) -> int:
    """Split, then tell what came of it."""
    flags = parse_flags("split", SplitFlags, arguments)
    targets = check_targets([flags.chosen, flags.rest])
    capture = read_capture(flags.source, **flags.read_options)
    chosen = choose(capture, flags)
    if chosen.all() or not chosen.any():
        which = "all" if chosen.any() else "none"
        raise DataError(f"{flags.source}: {which} of the {len(chosen)} images are chosen; both parts need some")
    parts = zip((chosen, ~chosen), targets, strict=True)
    return max(write_to(splitting.part_of(capture, rows), target, flags) for rows, target in parts)


def choose(capture: Capture, flags: SplitFlags) -> np.ndarray:
    """Which images are chosen; ConfigError unless there is exactly one rule."""
    rules = [name for name in ("list", "folder", "every_nth", "time", "area") if getattr(flags, name) is not None]
    if len(rules) != 1:
        raise ConfigError(f"split: expected one of --list, --folder, --every-nth, --time, --area, got {len(rules)}")
    if flags.list is not None:
        return splitting.named(capture, _names(flags.list, capture))
    if flags.folder is not None:
        return splitting.in_folder(capture, flags.folder)
    if flags.every_nth is not None:
        if flags.every_nth < 1:
            raise ConfigError(f"--every-nth: expected 1 or more, got {flags.every_nth}")
        return splitting.every_nth(capture, flags.every_nth)
    if flags.time is not None:
        return splitting.in_time(capture, *flags.time)
    assert flags.area is not None  # noqa: S101 - the only rule left
    return splitting.in_area(capture, flags.area[:3], flags.area[3:])


def _names(path: Path, capture: Capture) -> list[str]:
    """The names of a list; DataError with file and line for one that the capture lacks."""
    names = []
    for line, name in data_lines(path):
        if name not in capture.row_of:
            raise refusal(path, line, "no such image in the capture", found=name)
        names.append(name)
    return names
