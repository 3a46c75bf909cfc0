"""`vloc compress MAP OUT`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..compressing import Compressed, Goal, compress
from ..errors import ConfigError
from ..held_out import HeldOut
from ..map import Map
from ..run.packed import is_packed
from . import options
from .main import OK
from .outputs import check_output
from .settings import parse_flags

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


@dataclass(frozen=True, kw_only=True)
class CompressFlags:
    """Write a smaller map as one file, which commands take like a map's folder, and say what that cost.

    Points are chosen so that every image keeps as many as so few can give; each has one descriptor. What it cost is
    said by images of the map, each localized without itself in the map and in the smaller one.
    """

    map: options.location("MAP")  # type: ignore[valid-type]
    """folder of a finished map, or packed map, or the URL of either"""
    out: options.folder("OUT")  # type: ignore[valid-type]
    """file to write; a packed map that is there is replaced, once the new one is whole"""
    size: str | None = None
    """how large the file may be: 50MB, 800kB, 1.5GB (of 1000), or bytes"""
    points: int | None = None
    """how many points it may have"""
    images: int | None = None
    """how many images it may have, with all points that these show"""
    json: options.Switch = False
    """print the figures as JSON"""
    quiet: options.Switch = False
    """print nothing"""


def run(arguments: Sequence[str]) -> int:
    """Compress, and tell what it cost."""
    flags = parse_flags("compress", CompressFlags, arguments)
    goal = goal_of(flags)
    map_ = Map.open(flags.map)
    check_output(flags.out, is_packed, [flags.map])
    made = compress(map_, flags.out, goal)
    if flags.json:
        options.print_json(facts(made))
    elif not flags.quiet:
        print("\n".join(lines(flags, map_, made)))
    return OK


def goal_of(flags: CompressFlags) -> Goal:
    """What was asked for; ConfigError unless it is one thing."""
    given = [name for name in ("size", "points", "images") if getattr(flags, name) is not None]
    if len(given) != 1:
        raise ConfigError(f"compress: expected one of --size, --points, --images, got {len(given)}")
    return Goal(None if flags.size is None else bytes_of(flags.size), flags.points, flags.images)


def bytes_of(text: str) -> int:
    """`50MB` as a number; ConfigError for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(kb|mb|gb|)", text.lower())
    if found is None:
        raise ConfigError(f"--size {text}: expected a number with kB, MB or GB, such as 50MB")
    return int(float(found[1]) * UNITS[found[2]])


def facts(made: Compressed) -> dict[str, Any]:
    """The figures for JSON; a median that is none, as under half of the images have a pose, is null."""
    return {
        "images": made.num_images,
        "points": made.num_points,
        "bits_of_global_descriptors": made.bits,
        "codes_of_descriptors": made.num_codes or None,
        "bytes": made.num_bytes,
        "tried": len(made.before.metres),
        **{name: _facts(worth) for name, worth in (("before", made.before), ("after", made.after))},
    }


def _facts(worth: HeldOut) -> dict[str, float | None]:
    metres, degrees = (value if value < float("inf") else None for value in worth.medians)
    return {"localized": worth.num_localized, "median_distance": metres, "median_deg": degrees}


def lines(flags: CompressFlags, map_: Map, made: Compressed) -> list[str]:
    """The figures for people."""
    sparse, unit = map_.sparse, map_.frame.unit
    return [
        f"{flags.out}: {made.num_bytes / 1e6:.1f} MB, {made.num_images:,} of {len(sparse.image_names):,} images, "
        f"{made.num_points:,} of {len(sparse.points):,} points, {made.bits} bits a number of global descriptors"
        + (f", {made.num_codes} bytes a descriptor" if made.num_codes else ""),
        f"{len(made.before.metres)} images of the map, each localized without itself:",
        *(_line(name, worth, unit) for name, worth in (("before", made.before), ("after", made.after))),
    ]


def _line(name: str, worth: HeldOut, unit: str) -> str:
    metres, degrees = worth.medians
    return f"  {name:<7} {worth.num_localized} with a pose, median {metres:.3g} {unit}, {degrees:.3g} deg"
