"""`vloc merge A B ... OUT`: several captures of one place as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from ..data.merging import merge
from ..errors import ConfigError
from . import options
from .messages import read_capture
from .options import WriteFlags
from .settings import parse_flags
from .targets import check_targets, write_to


@dataclass(frozen=True, kw_only=True)
class MergeFlags(options.ReadFlags, WriteFlags):
    """Put captures whose poses are in the same world coordinates together. What clashes is renamed or refused."""

    captures: Annotated[list[str], tyro.conf.Positional, tyro.conf.arg(metavar="CAPTURE CAPTURE ... OUT")]
    """FORMAT:PATH, or paths whose format is recognised; the last is the output, where a bare path means kapture"""
    prefix: options.Words = ()
    """one for each capture: images become PREFIX/NAME, and sensors, rigs and feature types that clash PREFIX_NAME"""


def run(arguments: Sequence[str]) -> int:
    """Merge, then tell what came of it."""
    flags = parse_flags("merge", MergeFlags, arguments)
    if len(flags.captures) < 2:
        raise ConfigError("merge: expected one capture or more, and the output")
    *sources, output = flags.captures
    (target,) = check_targets([output])
    if flags.images is not None:
        raise ConfigError(
            "merge: --images is one folder, but there are several captures; put the images in their place"
        )
    merged = merge([read_capture(source, **flags.read_options) for source in sources], flags.prefix)
    status = write_to(merged, target, flags)
    for note in merged.notes:
        print(f"note: {note}")
    return status
