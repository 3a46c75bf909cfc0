"""`vloc align MAP`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..data.frame import Frame
from ..data.image_names import matched
from ..errors import ConfigError, DataError, StageError
from ..formats.results import read_truth
from ..framing import poses_of, reframe
from ..geometry.rigid import Rigid
from ..map import Map
from ..map_source import source_of
from ..run.workspace import Workspace
from ..stages.align import Fit, fit_poses, fit_positions, frame_of_distance, frame_of_positions, moved_frame
from ..stages.positions import positions_of
from . import options
from .frame_text import frame_facts, frame_lines
from .main import OK
from .map_folder import is_map
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class AlignFlags:
    """Give a map a frame and a scale: poses, points and their covariances move together, nothing is computed again.

    A later `vloc map` of the same folder keeps the frame. Poses localized before are in the old one.
    """

    map: options.folder("MAP")  # type: ignore[valid-type]
    """folder of a finished map"""
    to: str | None = None
    """`gnss` for the positions by satellite of the map's own images; else a capture with poses of some of its images
    (FORMAT:PATH or a path), a file of poses, or another map: the images in common decide"""
    distance: tuple[str, str, float] | None = None
    """two images of the map, and how many metres apart they were taken"""
    json: options.Switch = False
    """print the frame as JSON"""
    quiet: options.Switch = False
    """print nothing"""


def run(arguments: Sequence[str]) -> int:
    """Find the frame, move the map, tell how well it fits."""
    flags = parse_flags("align", AlignFlags, arguments)
    if (flags.to is None) == (flags.distance is None):
        raise ConfigError("expected one of --to CAPTURE, --to gnss and --distance A B METRES")
    with Workspace(flags.map, command=shlex.join(["vloc", "align", *arguments])) as work:
        map_ = Map.open(flags.map)
        try:
            frame, fit = target(map_, flags)
        except StageError as error:
            raise StageError(f"{flags.map}: not aligned: {error}") from None
        map_ = reframe(work, map_, frame)
    if flags.json:
        options.print_json({"map": str(flags.map), **frame_facts(map_.frame), **_residuals(fit)})
    elif not flags.quiet:
        print("\n".join([*frame_lines(map_.frame), *_disagreeing(fit, map_.frame.unit)]))
    return OK


def target(map_: Map, flags: AlignFlags) -> tuple[Frame, Fit | None]:
    """The new frame, and what it was fitted to."""
    if flags.distance is not None:
        first, second, metres = flags.distance
        if not 0 < metres < float("inf"):
            raise ConfigError(f"--distance: expected metres above 0, got {metres}")
        return frame_of_distance(map_.sparse, map_.frame, first, second, metres), None
    if flags.to == "gnss":
        return _by_satellite(map_)
    assert flags.to is not None  # noqa: S101 - one of both is given
    poses, metric = _known_poses(flags.to)
    known = matched(map_.sparse.image_names, poses)
    fit = fit_poses(map_.sparse, {name: poses[other] for name, other in known.items()}, map_.config.seed)
    unit = "m" if metric else "map units"
    frame = Frame(metric, "aligned", f"to {flags.to}: {fit.about(unit)}")
    return moved_frame(frame, map_.frame, fit.target_from_map), fit


def _known_poses(place: str) -> tuple[Mapping[str, Rigid], bool]:
    """`cam_from_world` by image name, and whether in metres."""
    if is_map(place):
        other = Map.open(place)
        return poses_of(other.sparse), other.frame.metric
    poses = read_truth(place)
    if not poses:
        raise DataError(f"{place}: no image of it has a pose")
    return poses, True


def _by_satellite(map_: Map) -> tuple[Frame, Fit]:
    source = source_of(map_)
    if source is None:
        raise DataError(f"{map_.folder}: the capture it was made from, with the positions, is not to be read any more")
    positions = positions_of(source)
    if positions is None:
        raise DataError(f"{map_.folder}: no position by satellite in the images or records it was made from")
    fit = fit_positions(map_.sparse, positions, map_.config.seed)
    return frame_of_positions(fit, positions, map_.frame), fit


def _residuals(fit: Fit | None) -> dict[str, Any]:
    """Every image in common: how far it is from where the target has it."""
    if fit is None:
        return {}
    rows = zip(fit.names, fit.alignment.residuals.tolist(), fit.alignment.agrees.tolist(), strict=True)
    return {"residuals": {name: {"distance": distance, "agrees": agrees} for name, distance, agrees in rows}}


def _disagreeing(fit: Fit | None, unit: str) -> list[str]:
    return [f"disagrees: {name}: {distance:#.3g} {unit}" for name, distance in fit.disagreeing.items()] if fit else []
