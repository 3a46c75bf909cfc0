"""A synthetic gallery from nothing to figures, in Python: make it, map it, localize its queries, evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vloc.datasets.synthetic_gallery import GalleryConfig, make

import vloc
from vloc.cli import options
from vloc.cli.evaluation_text import lines
from vloc.cli.settings import parse_flags
from vloc.formats.results import read_truth


@dataclass(frozen=True, kw_only=True)
class Flags:
    """A gallery of any size: mapped and localized with the defaults."""

    folder: options.folder("FOLDER")  # type: ignore[valid-type]
    """where the gallery, the map and intermediate results go"""
    num_images: int = 60
    """images to map"""
    num_queries: int = 12
    """images to localize"""


def run(arguments: Sequence[str]) -> int:
    """Print the figures of one gallery."""
    flags = parse_flags("run gallery", Flags, arguments)
    gallery = flags.folder / "gallery"
    make(gallery, GalleryConfig(num_images=flags.num_images, num_queries=flags.num_queries))
    map_ = vloc.build_map(vloc.read(f"kapture:{gallery / 'mapping'}"), flags.folder / "map")
    estimates = vloc.localize(map_, vloc.read(f"kapture:{gallery / 'query'}"), flags.folder / "localization")
    poses = {estimate.name: estimate.cam_from_world for estimate in estimates if estimate.cam_from_world is not None}
    print(map_, lines(vloc.evaluate(poses, read_truth(gallery / "query_truth.txt"))), sep="\n")
    return 0
