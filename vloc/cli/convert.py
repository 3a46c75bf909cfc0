"""`vloc convert FROM TO`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from ..data.capture import Capture
from ..formats.access import formats, write
from . import options
from .exporting import capture_of_map
from .map_folder import is_map
from .messages import read_capture, tell_losses
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class ConvertFlags(options.ReadFlags, options.WriteFlags):
    """Write a capture, or the points and poses of a map, in another format, and tell what it cannot hold."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FROM")]
    """FORMAT:PATH, or a path whose format is recognised, or the folder of a map"""
    target: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TO")]
    """FORMAT:PATH, where nothing is yet"""


def run(arguments: Sequence[str]) -> int:
    """Convert, then list the losses."""
    if "-h" in arguments or "--help" in arguments:
        print(format_table(), end="\n\n", flush=True)
    flags = parse_flags("convert", ConvertFlags, arguments)
    capture = capture_of_map(flags.source) if is_map(flags.source) else read_capture(flags.source, **flags.read_options)
    losses = write(capture, flags.target, **flags.write_options)
    print(summary(capture, flags.target))
    for note in capture.notes:
        print(f"note: {note}")
    return tell_losses(losses)


def format_table() -> str:
    """Every format, with what it can do and what it keeps."""
    known = formats()
    width = max(len(form.name) for form in known)
    rows = [
        f"  {form.name:<{width}} {'r' if form.read else '-'}{'w' if form.write else '-'}  {form.about}"
        for form in known
    ]
    return "\n".join(["formats (r: read, w: written):", *rows])


def summary(capture: Capture, target: str) -> str:
    """What was written, in one line."""
    points = capture.reconstruction.points if capture.reconstruction else None
    parts = [f"{len(capture.images)} images", f"{int(capture.has_pose.sum())} poses", f"{len(capture.sensors)} sensors"]
    return f"{', '.join(parts + ([f'{len(points)} points'] if points else []))}: {target}"
