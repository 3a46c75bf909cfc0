"""`vloc pack MAP FILE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..map import Map
from ..packing import pack, recall_of_half
from ..run.packed import is_packed
from . import options
from .main import OK
from .outputs import check_output
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class PackFlags:
    """Write one file with just what localization needs of a map: commands take it like the map's folder.

    It holds the points, the keypoints that show one, the global descriptors and what they learned; poses found with it
    are those found with the folder, bit for bit. It is only read: nothing is mapped, aligned or updated in it.
    """

    map: options.location("MAP")  # type: ignore[valid-type]
    """folder of a finished map, or its URL"""
    file: options.folder("FILE")  # type: ignore[valid-type]
    """file to write; a packed map that is there is replaced, once the new one is whole"""
    half: options.Switch = False
    """global descriptors in half precision, for maps of 100,000 images and more: half of the bytes and less time to
    search; it is told how many of the images that are found stay the same"""
    json: options.Switch = False
    """print the figures as JSON"""
    quiet: options.Switch = False
    """print nothing"""


def run(arguments: Sequence[str]) -> int:
    """Pack, and tell how large it became."""
    flags = parse_flags("pack", PackFlags, arguments)
    map_ = Map.open(flags.map)
    check_output(flags.file, is_packed, [flags.map])
    pack(map_, flags.file, half=flags.half)
    recall = recall_of_half(map_) if flags.half else 1.0
    sparse, num_bytes = map_.sparse, flags.file.stat().st_size
    images, points = len(sparse.image_names), len(sparse.points)
    if flags.json:
        facts = {"file": str(flags.file), "images": images, "points": points, "bytes": num_bytes}
        options.print_json({**facts, "recall_of_retrieval": recall})
    elif not flags.quiet:
        print(f"{flags.file}: {images:,} images, {points:,} points, {num_bytes / 1e6:.1f} MB")
        if flags.half:
            print(f"of the images found by the map's own, half precision finds {100 * recall:.2f} %")
    return OK
