"""`vloc render CAPTURE SCAN OUT`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..errors import ConfigError
from ..formats.access import write
from ..formats.results import read_truth
from ..formats.scan import read_scan
from ..rendering import with_poses, with_rendered_depth
from ..solvers.ray_casting import RayCaster
from . import options
from .convert import summary
from .messages import read_capture, tell_losses
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class RenderFlags(options.ReadFlags):
    """Render a scan to the depth map that each image of a capture would have, and write both as a kapture folder.

    For maps of captures without depth by `--points depth`, for training, and to look at poses.
    """

    capture: options.location("CAPTURE")  # type: ignore[valid-type]
    """FORMAT:PATH or path: images, their cameras and poses"""
    scan: options.folder("SCAN")  # type: ignore[valid-type]
    """mesh or point cloud, in the frame of the poses"""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """kapture folder to write, where nothing is yet"""
    poses: Path | None = None
    """poses of the images: a file as `vloc localize` writes it, or a capture; else the capture's own"""
    max_size: int = 1024
    """px; longer side of a depth map at most"""


def run(arguments: Sequence[str]) -> int:
    """Render and write, then list the losses."""
    flags = parse_flags("render", RenderFlags, arguments)
    if flags.max_size < 2:
        raise ConfigError(f"--max-size {flags.max_size}: expected 2 px or more")
    scan = read_scan(flags.scan)
    capture = read_capture(flags.capture, **flags.read_options)
    if flags.poses is not None:
        capture = with_poses(capture, read_truth(flags.poses))
    rendered = with_rendered_depth(capture, RayCaster(lambda: scan), flags.max_size)
    losses = write(rendered, f"kapture:{flags.out}")
    print(summary(rendered, str(flags.out)))
    return tell_losses(losses)
